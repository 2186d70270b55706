import { signal } from '@preact/signals'
import { denied } from '../lib/keep'

export interface Kept { id: string; token: string; ended?: number }
const params = new URLSearchParams(location.search)
/** In the launcher's frame, on somebody else's page. */
export const embedded = params.get('embed') === '1' && parent !== window
/** Whether the customer can see the panel: the launcher folds it away, the browser hides the tab. */
export const inView = signal(!document.hidden)
let folded = embedded && params.get('folded') === '1'

const look = () => { inView.value = !document.hidden && !folded }
look()
document.addEventListener('visibilitychange', look)

/** Tells the launcher; what is said holds nothing of the conversation. */
export function tell(message: object): void { if (embedded) parent.postMessage(message, '*') }

/**
 * Where the browser keeps nothing for a frame, the page around it keeps the running chat, as long as its tab
 * lives: without, every page that the customer turns to would lose it. That page began this very chat; where
 * the frame can keep things itself, it is told nothing.
 */
export function lend(chat: Kept | null): void { tell({ chatnow: 'running', running: chat !== null && !chat.ended, ...(denied ? { chat } : {}) }) }

export function listen(resume: (chat: Kept) => void): void {
  addEventListener('message', e => {
    if (!embedded || e.source !== parent) return
    if (e.data?.chatnow === 'shown') { folded = e.data.shown !== true; look() }
    const chat = e.data?.chatnow === 'resume' ? e.data.chat as Kept : null
    if (denied && chat && typeof chat.id === 'string' && typeof chat.token === 'string') resume(chat)
  })
  tell({ chatnow: 'ready' })
}
export const from = { product: params.get('product') ?? '', page: params.get('page') ?? document.referrer.slice(0, 900) }
