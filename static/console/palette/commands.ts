import { signal } from '@preact/signals'
import { call } from '../../lib/api'
import { dialog } from '../dialogs'
import { manager } from '../macros/picker'
import { accept, chats, current, drawer, me, mine, mute, noteMode, open, presence, queue, screen, show, step, ticket } from '../store'
import type { Ticket } from '../tickets'

export interface Item { id: string; kind: string; name: string; more?: string; keys?: string; run(): void }

/** What can be done at this moment. */
function commands(): Item[] {
  const own = open.value !== null && mine.value.some(c => c.id === open.value)
  const to = (where: typeof screen.value) => () => { ticket.value = null; screen.value = where }
  const list: (Item | false | null | undefined)[] = [
    queue.value.length > 0 && { id: 'accept', kind: 'Do', name: 'Take the first who waits', keys: 'A', run: () => { screen.value = 'chats'; accept() } },
    mine.value.length > 1 && { id: 'next', kind: 'Do', name: 'Next chat of mine', keys: 'J', run: () => { screen.value = 'chats'; step(1) } },
    own && { id: 'note', kind: 'Do', name: 'Write a note', keys: 'N', run: () => { screen.value = 'chats'; noteMode.value = true; setTimeout(() => document.getElementById('composer')?.focus()) } },
    own && { id: 'transfer', kind: 'Do', name: `Transfer ${current.value!.customer.name}`, keys: 'X', run: () => { dialog.value = 'transfer' } },
    own && { id: 'end', kind: 'Do', name: `End the chat with ${current.value!.customer.name}`, keys: 'E', run: () => { dialog.value = 'end' } },
    current.value && !current.value.ticket && { id: 'convert', kind: 'Do', name: `Make a ticket of the chat with ${current.value.customer.name}`, keys: 'T', run: () => { screen.value = 'chats'; drawer.value = true } },
    ...(['online', 'away', 'offline'] as const).map(s => me.value?.state !== s && { id: s, kind: 'Do', name: { online: 'Go online', away: 'Be away for a while', offline: 'Go offline' }[s], run: () => presence(s) }),
    { id: 'chats', kind: 'Go', name: 'Chats', keys: '1', run: to('chats') },
    { id: 'tickets', kind: 'Go', name: 'Tickets', keys: '2', run: to('tickets') },
    me.value?.role === 'admin' && { id: 'settings', kind: 'Go', name: 'Settings', keys: '3', run: to('settings') },
    manager() && { id: 'board', kind: 'Go', name: 'Board: who waits, who is on duty, what is late', keys: '4', run: to('board') },
    manager() && { id: 'reports', kind: 'Go', name: 'Reports: what happened', keys: '5', run: to('reports') },
    manager() && { id: 'macros', kind: 'Go', name: 'Macros', run: to('macros') },
    { id: 'sound', kind: 'Do', name: 'Turn the sound on or off', run: mute },
    { id: 'keys', kind: 'Do', name: 'Show all keys', keys: '?', run: () => { dialog.value = 'keys' } },
  ]
  return list.filter(x => !!x)
}

/** What is at hand without asking the server. */
export function near(): Item[] {
  const seen = new Set<string>()
  const all = [...queue.value, ...Object.values(chats.value)].filter(c => !seen.has(c.id) && seen.add(c.id))
  return [...commands(), ...all.map(c => ({ id: c.id, kind: 'Chat', name: c.customer.name, more: c.preview || c.question, run: () => { screen.value = 'chats'; show(c.id) } }))]
}

/** Tickets and their requesters, as the server finds them. */
export const far = signal<Item[]>([])
let asked = 0
export async function search(q: string): Promise<void> {
  const n = ++asked
  if (q.trim().length < 2) { far.value = []; return }
  await new Promise(r => setTimeout(r, 150)) // while somebody types, only the last word is asked for
  if (n !== asked) return
  const r = await call<{ tickets: Ticket[] }>(`/tickets?${new URLSearchParams({ q: q.trim(), limit: '8' })}`).catch(() => ({ tickets: [] as Ticket[] }))
  if (n === asked) far.value = r.tickets.map(t => ({ id: `ticket-${t.number}`, kind: 'Ticket', name: `${t.number} · ${t.subject}`, more: t.requester.name, run: () => { ticket.value = t.number; screen.value = 'tickets' } }))
}
