import { signal } from '@preact/signals'
import { mine, presence, me } from './store'

/** Half an hour without a key or a touch: whoever is on duty is asked, and after two minutes is away. */
const ask = 30 * 60_000
const leave = 2 * 60_000
let touched = Date.now()
/** When duty ends by itself unless somebody says otherwise; 0 when nobody is asked. */
export const leavesAt = signal(0)

export function stay(): void {
  touched = Date.now()
  leavesAt.value = 0
}

function look(): void {
  if (me.value?.state !== 'online') { leavesAt.value = 0; return }
  if (leavesAt.value && Date.now() >= leavesAt.value) presence('away') // again at the next look, should the line be cut
  else if (!leavesAt.value && Date.now() - touched >= ask) leavesAt.value = Date.now() + leave
}

export function watchIdling(): void {
  for (const event of ['keydown', 'pointerdown', 'pointermove', 'wheel'] as const) {
    document.addEventListener(event, () => { if (!leavesAt.value) touched = Date.now() }, { passive: true, capture: true })
  }
  setInterval(look, 5000)
}

/** What the question says. */
export function question(now: number): string {
  const left = Math.max(0, Math.ceil((leavesAt.value - now) / 1000))
  return `Are you still there? In ${left} seconds you are away, and no new chats are offered to you.${mine.value.length ? ' Your chats stay yours.' : ''}`
}
