import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

interface Props { value: string; label: string; placeholder: string; note?: boolean; button: string; onInput(v: string): void; onSend(): void; onSlash?(): void; children?: ComponentChildren }
/** Enter sends, Shift+Enter begins a new line; while a word is being composed, Enter ends the word. */
export function Composer(p: Props) {
  const area = useRef<HTMLTextAreaElement>(null)
  useLayoutEffect(() => { // grows with what is written; the style sheet says how far
    const box = area.current!
    box.style.blockSize = 'auto'
    if (p.value) box.style.blockSize = `${box.scrollHeight}px`
  }, [p.value])
  const send = () => { if (p.value.trim()) { p.onSend(); area.current?.focus() } }
  return (
    <form class="composer" data-note={String(!!p.note)} onSubmit={e => { e.preventDefault(); send() }}>
      <textarea ref={area} id="composer" aria-label={p.label} placeholder={p.placeholder} value={p.value}
        onInput={e => p.onInput(e.currentTarget.value)}
        onKeyDown={e => {
          if (e.key === '/' && !p.value && p.onSlash) { e.preventDefault(); p.onSlash(); return }
          if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); send() }
        }} />
      <div class="composer__foot">{p.children}<button class="button" data-kind="main" disabled={!p.value.trim()}>{p.button}</button></div>
    </form>
  )
}
