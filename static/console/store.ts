import { uuid } from '../lib/uuid'
import { computed, effect, signal } from '@preact/signals'
import { call, Problem } from '../lib/api'
import { chime } from '../lib/chime'
import { cursor, merge, settle, tooLong, without } from '../lib/conversation'
import { load, save } from '../lib/keep'
import { Socket } from '../lib/socket'
import { unfilled } from './macros/fill'
import { fetchDrafts, write, written } from './drafts'
import { learn, now } from '../lib/time'
import type { Chat, Frame, From, Member, Message, Note, Support, Unsent } from '../lib/types'

export interface Me { id: string; name: string; role: string; state: string; capacity: number }
export const me = signal<Me | null>(null)
export const queue = signal<Chat[]>([])
export const chats = signal<Record<string, Chat>>({})
export const logs = signal<Record<string, Message[]>>({})
export const notes = signal<Record<string, Note[]>>({})
export const staff = signal<Member[]>([])
export const unsent = signal<Unsent[]>(load<Unsent[]>('console.unsent', []).filter(u => !tooLong(u.body)))
export const typing = signal<Record<string, string>>({})
export const open = signal<string | null>(null)
export const connected = signal(false)
export const noteMode = signal(false)
export const drawer = signal(false)
export const about = signal(false) // who the customer is, where the screen has no room for it beside the chat
/** Which tickets changed of late; null: perhaps any. */
export const news = signal<{ numbers: number[] | null }>({ numbers: [] })
export const toast = signal('')
export const clockTick = signal(now())
export const support = signal<Support | null>(null)
const asked = Number(new URLSearchParams(location.search).get('ticket')) || null // a link to a ticket
export const ticket = signal<number | null>(asked)
export const screen = signal<'chats' | 'tickets' | 'settings' | 'macros' | 'board' | 'reports'>(asked ? 'tickets' : 'chats')
export const sound = signal(load('console.sound', true))
export function mute(): void { sound.value = !sound.value; save('console.sound', sound.value) }
setInterval(() => { clockTick.value = now() }, 1000)
/** For long lists, which need no seconds. */
export const slowTick = computed(() => Math.floor(clockTick.value / 15_000) * 15_000)

/** When a customer began to wait for an answer; null when it is his turn. */
export function unanswered(c: Chat): number | null {
  if (!c.last_customer_at) return null
  const said = Date.parse(c.last_customer_at)
  return c.last_champion_at && Date.parse(c.last_champion_at) >= said ? null : said
}
export const mine = computed(() => Object.values(chats.value).filter(c => c.state === 'active' && c.champion?.id === me.value?.id)
  .sort((a, b) => (unanswered(a) ?? Infinity) - (unanswered(b) ?? Infinity) || a.created_at.localeCompare(b.created_at)))
export const ended = computed(() => Object.values(chats.value).filter(c => c.state === 'ended' && c.champion?.id === me.value?.id))
export const current = computed(() => open.value ? chats.value[open.value] ?? queue.value.find(c => c.id === open.value) ?? null : null)
export const offered = computed(() => queue.value.filter(c => c.offered_to === me.value?.id))
export function unread(c: Chat): number {
  return (logs.value[c.id] ?? []).filter(m => m.from.kind === 'customer' && m.seq > c.read.champion).length
}

let socket: Socket
export function begin(): void {
  call<Support>('/support').then(s => { support.value = s }, () => undefined)
  socket = new Socket('/ws/console', () => ({ after: Object.fromEntries(Object.entries(logs.value).map(([id, l]) => [id, cursor(l)])) }), frame, up => { connected.value = up })
}

const put = (c: Chat) => { chats.value = { ...chats.value, [c.id]: c } }
const patch = (id: string, p: Partial<Chat>) => { const c = chats.value[id]; if (c) put({ ...c, ...p }) }
export function say(text: string): void { toast.value = text; setTimeout(() => { if (toast.value === text) toast.value = '' }, 5000) }

function frame(f: Frame): void {
  const id = f['chat'] as string
  switch (f.type) {
    case 'welcome': {
      learn(f['now'] as string)
      me.value = f['me'] as Me
      staff.value = f['staff'] as Member[]
      queue.value = f['queue'] as Chat[]
      const own = f['chats'] as Chat[]
      const kept = Object.values(chats.value).map(c => own.some(o => o.id === c.id) || c.state !== 'active' ? c : { ...c, state: 'ended' as const })
      chats.value = Object.fromEntries([...kept, ...own].map(c => [c.id, c]))
      for (const u of unsent.value) socket.send({ type: 'send', chat: u.chat, id: u.id, body: u.body })
      if (open.value && !chats.value[open.value]) socket.send({ type: 'follow', chat: open.value }) // an address that was opened
      break
    }
    case 'queue': {
      const before = new Set(offered.value.map(c => c.id))
      queue.value = f['queue'] as Chat[]
      if (offered.value.some(c => !before.has(c.id))) alertOf('waiting', 'A customer waits for you', offered.value[0]!.question, offered.value[0]!.id)
      break
    }
    case 'staff': {
      staff.value = f['staff'] as Member[]
      const self = staff.value.find(m => m.id === me.value?.id)
      if (self && me.value) me.value = { ...me.value, state: self.state, capacity: self.capacity }
      break
    }
    case 'chat': {
      const c = f['chat'] as unknown as Chat
      const was = chats.value[c.id]
      put(c)
      if (c.state === 'active' && c.champion?.id === me.value?.id && was?.state !== 'active') { open.value = c.id; intoBox() }
      break
    }
    case 'message': {
      const m = f as unknown as Message
      logs.value = { ...logs.value, [id]: merge(logs.value[id] ?? [], m) }
      keep(without(unsent.value, m.id))
      if (m.from.kind === 'customer') {
        patch(id, { last_customer_at: m.at, preview: m.body, seq: m.seq })
        typing.value = { ...typing.value, [id]: '' }
        if (!inView(id)) alertOf('message', m.from.name, m.body, id)
      } else patch(id, m.from.kind === 'champion' ? { last_champion_at: m.at, preview: m.body, seq: m.seq } : { seq: m.seq })
      seen(id)
      break
    }
    case 'note': {
      const n = f as unknown as Note
      const list = notes.value[id] ?? []
      if (!list.some(o => o.id === n.id)) notes.value = { ...notes.value, [id]: [...list, n] }
      break
    }
    case 'ack': {
      const sent = unsent.value.find(u => u.id === f['id'])
      if (sent && f['seq']) {
        const m: Message = { seq: f['seq'] as number, id: sent.id, from: { kind: 'champion', name: me.value!.name }, body: sent.body, at: f['at'] as string }
        logs.value = { ...logs.value, [id]: settle(logs.value[id] ?? [], m) }
        patch(id, { last_champion_at: m.at, preview: m.body, seq: m.seq })
      }
      keep(without(unsent.value, f['id'] as string))
      break
    }
    case 'typing':
      if ((f['from'] as From).kind === 'customer') {
        typing.value = { ...typing.value, [id]: f['on'] ? (f['from'] as From).name : '' }
        clearTimeout(writing[id])
        if (f['on']) writing[id] = window.setTimeout(() => { typing.value = { ...typing.value, [id]: '' } }, 8000) // who has gone writes no more
      }
      break
    case 'read': {
      const c = chats.value[id]
      if (c && f['by'] === 'customer') put({ ...c, read: { ...c.read, customer: f['seq'] as number } })
      break
    }
    case 'error':
      if (f['code'] === 'unavailable' && f['id']) setTimeout(() => { const u = unsent.value.find(x => x.id === f['id']); if (u) socket.send({ type: 'send', chat: u.chat, id: u.id, body: u.body }) }, 1500)
      else {
        const lost = unsent.value.find(u => u.id === f['id'])
        if (lost) { write(`chat:${lost.chat}`, lost.body); keep(without(unsent.value, lost.id)) } // the words go back into the box
        say(f['detail'] as string)
      }
      break
    case 'tickets':
      news.value = { numbers: f['numbers'] as number[] | null }
      break
    case 'bye':
      if (f['reason'] === 'expired') location.href = '/account/signin?next=/console'
      break
  }
}

const writing: Record<string, number> = {}
/** Whoever takes a chat writes next; nobody who writes already is disturbed. */
function intoBox(): void {
  if (screen.value === 'chats' && !document.activeElement?.matches('input, textarea, select')) setTimeout(() => document.getElementById('composer')?.focus())
}
/** A chat is in view when it is open, on its screen, in a tab that is not hidden. */
function inView(id: string): boolean { return open.value === id && screen.value === 'chats' && !document.hidden }
let atEnd = true // of the conversation that is open: what stands below the edge is not seen
export function reached(end: boolean): void { atEnd = end; if (open.value) seen(open.value) }

function keep(list: Unsent[]): void { if (list.length !== unsent.value.length || list.some((u, i) => u !== unsent.value[i])) { unsent.value = list; save('console.unsent', list.length ? list : null) } }
/** A note and a reply are written in boxes of their own: neither ever becomes the other. */
export function box(id: string): string { return `${noteMode.value ? 'chat-note' : 'chat'}:${id}` }
export function draft(id: string, text: string): void {
  write(box(id), text)
  if (!noteMode.value) socket.send({ type: 'typing', chat: id, on: text !== '' })
}
/** Says why a text cannot go to a customer as it is; empty when it can. */
export function unsendable(text: string): string {
  if (tooLong(text)) return 'This is too long for one message. Attach it as a file.'
  const left = unfilled(text)
  return left.length ? `Fill in ${left.map(v => `{{${v}}}`).join(', ')} first.` : ''
}
export function send(): void {
  const id = open.value
  const body = id ? written(box(id)) : ''
  const why = unsendable(body)
  if (why) { say(why); return }
  if (!id || !body.trim()) return
  if (noteMode.value) {
    if (!note(id, body)) return
    draft(id, '')
    noteMode.value = false
    return
  }
  deliver(id, body)
  draft(id, '')
}
/** Keeps a remark for champions beside a chat; false while there is no connection. */
export function note(id: string, body: string): boolean {
  const n: Note = { id: uuid(), from: { kind: 'champion', name: me.value!.name }, body, at: new Date(now()).toISOString(), after_seq: logs.value[id]?.length ?? 0 }
  if (!socket.send({ type: 'note', chat: id, id: n.id, body })) { say('No connection: the note is kept in the box.'); return false }
  notes.value = { ...notes.value, [id]: [...(notes.value[id] ?? []), n] }
  return true
}
/** Keeps a message here until the server has it. */
export function deliver(id: string, body: string): void {
  const u: Unsent = { id: uuid(), chat: id, body, at: new Date(now()).toISOString() }
  keep([...unsent.value, u])
  socket.send({ type: 'send', chat: id, id: u.id, body })
}
export function seen(id: string): void {
  const c = chats.value[id]
  const last = logs.value[id]?.at(-1)
  if (!c || !last || !inView(id) || !atEnd || last.seq <= c.read.champion) return
  socket.send({ type: 'read', chat: id, seq: last.seq })
  put({ ...c, read: { ...c.read, champion: last.seq } })
}
export function show(id: string | null): void {
  open.value = id
  noteMode.value = false
  drawer.value = false
  about.value = false
  atEnd = true
  if (id && !chats.value[id]) socket.send({ type: 'follow', chat: id })
  if (id) { seen(id); void fetchDrafts() } // somebody may have begun on another machine
}
export function accept(id?: string): void {
  const next = id ?? (offered.value[0] ?? queue.value.find(c => c.customer.online) ?? queue.value[0])?.id // who is there goes first
  if (next) act({ type: 'accept', chat: next })
}
export function presence(state: string, capacity?: number): void {
  if (act({ type: 'presence', state, ...(capacity ? { capacity } : {}) }) && me.value) me.value = { ...me.value, state, ...(capacity ? { capacity } : {}) }
  if (state === 'online' && 'Notification' in window && Notification.permission === 'default') void Notification.requestPermission()
}
export function transfer(id: string, to: string, why: string): void {
  if (why.trim()) socket.send({ type: 'note', chat: id, id: uuid(), body: why })
  if (!act({ type: 'transfer', chat: id, to })) return
  say(`Handed to ${staff.value.find(m => m.id === to)?.name ?? 'your colleague'}.`)
  show(mine.value.find(c => c.id !== id)?.id ?? null)
}
/** A manager takes a chat from whoever has it. */
export function takeOver(id: string): void { act({ type: 'transfer', chat: id, to: me.value!.id }) }
export function end(id: string): void { act({ type: 'end', chat: id }) }
/** Sends what has to be done at once or not at all. */
function act(frame: object): boolean {
  const sent = socket.send(frame)
  if (!sent) say('No connection: nothing was done. Try again in a moment.')
  return sent
}
export function step(by: number): void {
  const list = mine.value
  if (!list.length) return
  const i = list.findIndex(c => c.id === open.value)
  show(list[(i + by + list.length) % list.length]!.id)
}

/** A short sound and a notice, for what is not in view. */
function alertOf(kind: 'waiting' | 'message', title: string, body: string, chat: string): void {
  if (sound.value) chime(kind)
  if (document.hidden && 'Notification' in window && Notification.permission === 'granted') {
    const n = new Notification(title, { body: body.slice(0, 120), tag: title })
    n.onclick = () => { window.focus(); screen.value = 'chats'; show(chat); n.close() }
  }
}
export type { Problem }

/** What comes into view is seen. */
export function watchView(): void {
  effect(() => { if (screen.value === 'chats' && open.value) seen(open.value) })
  document.addEventListener('visibilitychange', () => { if (open.value) seen(open.value) })
}
