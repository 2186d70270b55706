/**
 * The launcher: one button in a shadow tree, so that the page's styles and its strict policy stay as they
 * are. Nothing else is loaded and nothing is stored before the click. After it, as long as a chat runs, the tab's own pages take it along.
 *   <script src="https://support.example.com/widget.js" data-label="Chat now" data-product="…" defer></script>
 */
const script = document.currentScript as HTMLScriptElement | null ?? document.querySelector<HTMLScriptElement>('script[src*="/widget.js"]')!
const home = new URL(script.src).origin
const host = document.createElement('div')
const root = host.attachShadow({ mode: 'closed' })
const sheet = new CSSStyleSheet()
sheet.replaceSync(`
:host{all:initial!important;position:fixed!important;inset-block-end:20px!important;inset-inline-end:20px!important;z-index:2147483000!important;font:500 16px/1.4 system-ui,sans-serif!important;color-scheme:light dark!important}
button{all:unset;box-sizing:border-box;min-block-size:48px;padding:0 20px;display:inline-flex;align-items:center;gap:10px;border-radius:8px;background:#00586f;color:#fff;cursor:pointer;box-shadow:0 4px 16px #0004}
button:hover{background:#00475a}button:focus-visible{outline:3px solid #fff;box-shadow:0 0 0 6px #00586f}
b{font-weight:600;background:#fff;color:#00586f;border-radius:99px;padding:0 8px}b:empty{display:none}
iframe{position:absolute;inset-block-end:60px;inset-inline-end:0;inline-size:400px;block-size:min(640px,calc(100vh - 100px));border:0;border-radius:12px;background:#fff;box-shadow:0 8px 40px #0005}
iframe[hidden]{display:none}
@media(max-width:480px){iframe{position:fixed;inset:0;inline-size:100vw;block-size:100dvh;border-radius:0}}`)
root.adoptedStyleSheets = [sheet]
const button = document.createElement('button')
button.type = 'button'
button.setAttribute('aria-expanded', 'false')
const label = document.createElement('span')
label.textContent = script.dataset['label'] ?? 'Chat now'
const badge = document.createElement('b')
button.append(label, badge)
root.append(button)
let frame: HTMLIFrameElement | undefined
/** What this tab keeps after the click: that a chat runs, and, where the frame may keep nothing, which one. */
interface Kept { running: boolean; chat?: unknown }
function kept(): Kept | null { try { return JSON.parse(sessionStorage.getItem('chatnow') ?? 'null') as Kept | null } catch { return null } }
function keep(k: Kept | null): void {
  try { if (k) sessionStorage.setItem('chatnow', JSON.stringify(k)); else sessionStorage.removeItem('chatnow') } catch { /* then it lasts as long as this page */ }
}
function load(folded: boolean): void {
  if (frame) return
  frame = document.createElement('iframe')
  frame.title = 'Chat'
  frame.hidden = folded
  const url = new URL('/chat', home)
  url.searchParams.set('embed', '1')
  if (folded) url.searchParams.set('folded', '1')
  url.searchParams.set('page', location.href.split('#')[0]!.slice(0, 900))
  if (script.dataset['product']) url.searchParams.set('product', script.dataset['product'])
  frame.src = url.href
  root.append(frame)
}
function tell(message: object): void { frame?.contentWindow?.postMessage(message, home) }
function show(open: boolean): void {
  if (open) load(false)
  if (!frame) return
  frame.hidden = !open
  button.setAttribute('aria-expanded', String(open))
  tell({ chatnow: 'shown', shown: open })
  if (open) { badge.textContent = ''; frame.focus() } else button.focus()
}
button.onclick = () => show(!frame || frame.hidden === true)
addEventListener('keydown', e => { if (e.key === 'Escape' && frame && !frame.hidden) show(false) })
addEventListener('message', e => {
  if (e.origin !== home || !frame || e.source !== frame.contentWindow) return
  switch (e.data?.chatnow) {
    case 'ready': {
      const k = kept()
      if (k?.chat) tell({ chatnow: 'resume', chat: k.chat })
      tell({ chatnow: 'shown', shown: !frame.hidden })
      break
    }
    case 'close': show(false); break
    case 'unread': badge.textContent = frame.hidden ? String(e.data.count || '') : ''; break
    case 'running': keep(e.data.running || e.data.chat ? { running: e.data.running === true, ...(e.data.chat ? { chat: e.data.chat } : {}) } : null); break
  }
})
document.body.append(host)
if (kept()?.running) load(true) // a chat that runs goes on at the next page: its words are counted here
