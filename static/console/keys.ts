import { about, accept, current, drawer, me, mine, noteMode, open, screen, step, ticket } from './store'
import { dialog } from './dialogs'
import { manager } from './macros/picker'
import { picking } from './macros/store'
import { open as palette } from './palette/palette'

export const list: [string, string][] = [
  ['A', 'Take the first who waits'], ['J / K', 'Next, previous chat of mine'], ['N', 'Note, or reply'], ['T', 'Make a ticket'],
  ['X', 'Transfer'], ['E', 'End the chat'], ['R', 'To the reply box'], ['I', 'Who the customer is, on a narrow screen'], ['1 … 5', 'Chats, tickets, settings, board, reports'],
  ['J / K, Enter', 'Among tickets: next, previous, open'], ['R / N', 'On a ticket: reply, note'], ['/', 'Among tickets: search'], ['/', 'In an empty box: macros'], ['Ctrl K', 'Find anything'], ['Esc', 'Close what is open'], ['?', 'These keys'],
]

/** What keys do on the screen of tickets; it fills this in as long as it is there. */
export const ticketKeys: Record<string, () => void> = {}

/** No key fires while somebody types. */
export function keys(e: KeyboardEvent): void {
  const at = e.target as HTMLElement
  const writes = at.matches('input, textarea, select') || at.isContentEditable
  if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') { e.preventDefault(); palette.value = !palette.value; return }
  if (palette.value) return
  if (e.key === 'Escape') {
    if (picking.value) picking.value = ''
    else if (dialog.value) dialog.value = null
    else if (drawer.value) drawer.value = false
    else if (writes) at.blur()
    else if (screen.value === 'tickets') ticket.value = null
    return
  }
  if (writes || e.ctrlKey || e.metaKey || e.altKey || dialog.value) return
  const own = open.value !== null && mine.value.some(c => c.id === open.value)
  const act: Record<string, () => void> = {
    a: () => { screen.value = 'chats'; accept() }, j: () => { screen.value = 'chats'; step(1) }, k: () => { screen.value = 'chats'; step(-1) }, '1': () => { screen.value = 'chats' }, '2': () => { ticket.value = null; screen.value = 'tickets' }, ...(me.value?.role === 'admin' ? { '3': () => { screen.value = 'settings' } } : {}), ...(manager() ? { '4': () => { screen.value = 'board' }, '5': () => { screen.value = 'reports' } } : {}), '?': () => { dialog.value = 'keys' },
    ...(own ? { n: () => { noteMode.value = !noteMode.value; focusBox() }, r: focusBox, x: () => { dialog.value = 'transfer' }, e: () => { dialog.value = 'end' } } : {}),
    ...(open.value ? { t: toTicket, i: () => { about.value = !about.value } } : {}),
  }
  if (screen.value === 'tickets') Object.assign(act, ticketKeys)
  const f = act[e.key.toLowerCase()]
  if (f) { e.preventDefault(); f() }
}
function toTicket(): void {
  const number = current.value?.ticket
  if (number) { ticket.value = number; screen.value = 'tickets' } else drawer.value = true
}
function focusBox(): void { document.getElementById('composer')?.focus() }
