import { effect, signal } from '@preact/signals'
import { inView, tell } from './host'

const own = document.title
const unread = signal(0)
const still = matchMedia('(prefers-reduced-motion: reduce)')

/** Counts what came while nobody looked; the title says so, and changes back and forth. */
export function missed(): void { unread.value++ }

effect(() => {
  if (inView.value) unread.value = 0
  const n = unread.value
  tell({ chatnow: 'unread', count: n })
  document.title = n ? `(${n}) ${own}` : own
  if (!n || still.matches) return
  const news = n === 1 ? 'A new message' : `${n} new messages`
  const timer = setInterval(() => { document.title = document.title === news ? `(${n}) ${own}` : news }, 1500)
  return () => clearInterval(timer)
})
