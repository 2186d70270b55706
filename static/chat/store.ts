import { uuid } from '../lib/uuid'
import { signal } from '@preact/signals'
import { call, Problem } from '../lib/api'
import { fileToken } from '../lib/files'
import { cursor, merge, settle, tooLong, without } from '../lib/conversation'
import { load, save } from '../lib/keep'
import { Socket } from '../lib/socket'
import type { Chat, Frame, From, Message, Support, Unsent } from '../lib/types'

export interface Particulars { name: string; email: string; question: string; product: string }
const params = new URLSearchParams(location.search)
export const embedded = params.get('embed') === '1'
export const me = signal<Particulars>({ name: '', email: '', question: '', product: params.get('product') ?? '', ...load<Partial<Particulars>>('me', {}) })
export const chat = signal<Chat | null>(null)
export const log = signal<Message[]>([])
export const unsent = signal<Unsent[]>([])
export const connected = signal(true)
export const typing = signal('')
export const refusal = signal<Problem | null>(null)
export const words = signal(load('words', ''))
export const support = signal<Support | null>(null)
/** The ticket form stands in the panel, with what was typed in it. */
export const form = signal<{ subject: string; description: string; why: string } | null>(null)
let socket: Socket | undefined
let token = ''

export function remember(p: Partial<Particulars>): void { me.value = { ...me.value, ...p }; save('me', me.value) }
export function write(text: string): void {
  words.value = text
  save('words', text || null)
  socket?.send({ type: 'typing', on: text !== '' })
}

interface Kept { id: string; token: string }
let starting = false
export async function start(): Promise<void> {
  if (starting) return // a double click is one chat
  starting = true
  refusal.value = null
  try {
    const made = await call<{ chat: Chat; token: string }>('/chats', { body: { ...me.value, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, page_url: params.get('page') ?? document.referrer.slice(0, 900) }, key: uuid() })
    save('chat', { id: made.chat.id, token: made.token })
    remember({ question: '' })
    join({ id: made.chat.id, token: made.token })
    chat.value = made.chat
  } catch (e) { refuse(e as Problem) } finally { starting = false }
}

function refuse(e: Problem): void {
  refusal.value = e
  if (['outside_hours', 'unstaffed', 'queue_full'].includes(e.code)) ticket(e.message)
}

/** Makes a ticket of an ended chat: its transcript goes along, and done twice it is the same ticket. */
export function convert<T>(body: object): Promise<T> {
  return call<T>(`/chats/${chat.value!.id}/ticket`, { body, token })
}

/** Opens the ticket form in place, with every word that was typed. */
export function ticket(why: string): void {
  const said = log.value.filter(m => m.from.kind === 'customer').map(m => m.body)
  const all = [...(said.length ? said : [me.value.question]), ...unsent.value.map(u => u.body), words.value].filter(s => s.trim()).join('\n\n')
  form.value = { subject: (chat.value?.question || me.value.question || all).split('\n')[0]!.slice(0, 80), description: all, why }
}

export function join(kept: Kept): void {
  token = kept.token
  fileToken.value = token
  unsent.value = load<Unsent[]>('unsent', []).filter(u => u.chat === kept.id && !tooLong(u.body))
  socket = new Socket('/ws/chat', () => ({ token, after: cursor(log.value) }), f => frame(f, kept), up => { connected.value = up })
}

function frame(f: Frame, kept: Kept): void {
  switch (f.type) {
    case 'welcome':
      chat.value = f['chat'] as Chat
      for (const u of unsent.value) socket!.send({ type: 'send', id: u.id, body: u.body })
      break
    case 'chat': {
      chat.value = f['chat'] as Chat
      if (chat.value.state === 'missed') ticket(chat.value.reason === 'closed' ? 'Chat has closed for today.' : 'No Customer Champion could take your chat.')
      break
    }
    case 'message': {
      const m = f as unknown as Message
      log.value = merge(log.value, m)
      keep(without(unsent.value, m.id)) // it came back by a resume
      if (m.from.kind === 'champion') { typing.value = ''; arrived() }
      seen()
      break
    }
    case 'ack': {
      const sent = unsent.value.find(u => u.id === f['id'])
      if (sent) log.value = settle(log.value, { seq: f['seq'] as number, id: sent.id, from: { kind: 'customer', name: me.value.name }, body: sent.body, at: f['at'] as string })
      keep(without(unsent.value, f['id'] as string))
      break
    }
    case 'typing':
      typing.value = f['on'] ? (f['from'] as From).name : ''
      break
    case 'read':
      if (chat.value && f['by'] === 'champion') chat.value = { ...chat.value, read: { ...chat.value.read, champion: f['seq'] as number } }
      break
    case 'error':
      if (f['code'] === 'unknown_chat' && !f['id']) forget()
      else if (f['code'] === 'unavailable') setTimeout(() => { const u = unsent.value.find(x => x.id === f['id']); if (u) socket?.send({ type: 'send', id: u.id, body: u.body }) }, 1500)
      else if (f['code'] === 'ended' && f['id']) { words.value = unsent.value.find(u => u.id === f['id'])?.body ?? words.value; keep(without(unsent.value, f['id'] as string)) }
      break
  }
  if (chat.value && (chat.value.state === 'ended' || chat.value.state === 'missed')) save('chat', null)
  else save('chat', kept)
}

function keep(list: Unsent[]): void { if (list !== unsent.value) { unsent.value = list; save('unsent', list.length ? list : null) } }

export function send(): void {
  const body = words.value
  if (!body.trim() || tooLong(body)) return // the box says so
  write('')
  say(body)
}

/** Keeps a message here until the server has it. */
export function say(body: string): void {
  if (!chat.value) return
  const u: Unsent = { id: uuid(), chat: chat.value.id, body, at: new Date().toISOString() }
  keep([...unsent.value, u])
  socket?.send({ type: 'send', id: u.id, body })
}

export function seen(): void {
  const last = log.value[log.value.length - 1]
  if (last && !document.hidden) socket?.send({ type: 'read', seq: last.seq })
}
export function end(): void { socket?.send({ type: 'end' }) }
/** Begins anew; nothing of the old chat stays here. */
export function forget(): void {
  socket?.close()
  save('chat', null)
  keep([])
  chat.value = null
  log.value = []
  form.value = null
}

let unread = 0
const title = document.title
function arrived(): void {
  if (!document.hidden) return
  unread++
  document.title = `(${unread}) ${title}`
  parent.postMessage({ chatnow: 'unread', count: unread }, '*')
}
document.addEventListener('visibilitychange', () => { if (!document.hidden) { unread = 0; document.title = title; seen() } })

export function begin(): void {
  call<Support>('/support').then(s => { support.value = s }, () => undefined)
  const kept = load<Kept | null>('chat', null)
  if (kept) { connected.value = false; join(kept) }
}
