import { accept, drawer, me, mine, noteMode, open, screen, step, ticket } from './store'
import { dialog } from './dialogs'

export const list: [string, string][] = [
  ['A', 'Take the first who waits'], ['J / K', 'Next, previous chat of mine'], ['N', 'Note, or reply'], ['T', 'Make a ticket'],
  ['X', 'Transfer'], ['E', 'End the chat'], ['R', 'To the reply box'], ['1 / 2 / 3', 'Chats, tickets, settings'], ['Esc', 'Close what is open'], ['?', 'These keys'],
]

/** No key fires while somebody types. */
export function keys(e: KeyboardEvent): void {
  const at = e.target as HTMLElement
  const writes = at.matches('input, textarea, select') || at.isContentEditable
  if (e.key === 'Escape') {
    if (dialog.value) dialog.value = null
    else if (drawer.value) drawer.value = false
    else if (writes) at.blur()
    else if (screen.value === 'tickets') ticket.value = null
    return
  }
  if (writes || e.ctrlKey || e.metaKey || e.altKey || dialog.value) return
  const own = open.value !== null && mine.value.some(c => c.id === open.value)
  const act: Record<string, () => void> = {
    a: () => accept(), j: () => step(1), k: () => step(-1), '1': () => { screen.value = 'chats' }, '2': () => { ticket.value = null; screen.value = 'tickets' }, ...(me.value?.role === 'admin' ? { '3': () => { screen.value = 'settings' } } : {}), '?': () => { dialog.value = 'keys' },
    ...(own ? { n: () => { noteMode.value = !noteMode.value; focusBox() }, r: focusBox, x: () => { dialog.value = 'transfer' }, e: () => { dialog.value = 'end' } } : {}),
    ...(open.value ? { t: () => { drawer.value = true } } : {}),
  }
  const f = act[e.key.toLowerCase()]
  if (f) { e.preventDefault(); if ('ajk'.includes(e.key.toLowerCase())) screen.value = 'chats'; f() }
}
function focusBox(): void { setTimeout(() => document.getElementById('composer')?.focus()) }
