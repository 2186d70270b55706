import { effect, signal } from '@preact/signals'
import { call, Problem } from '../lib/api'
import { chime } from '../lib/chime'
import { cursor, merge, settle, tooLong, without } from '../lib/conversation'
import { fileToken } from '../lib/files'
import { load, save } from '../lib/keep'
import { Socket } from '../lib/socket'
import type { Chat, Frame, From, Message, Support, Unsent } from '../lib/types'
import { uuid } from '../lib/uuid'
import { unwatch, watch } from './gate'
import { from, inView, lend, listen, type Kept } from './host'
import { missed } from './title'

export interface Particulars { name: string; email: string; question: string; product: string }
const app = document.getElementById('app')! // whoever is signed in need not say his name again
export const me = signal<Particulars>({ name: app.dataset['name'] ?? '', email: app.dataset['email'] ?? '', question: '', product: '', ...load<Partial<Particulars>>('me', {}) })
export const chat = signal<Chat | null>(null)
export const log = signal<Message[]>([])
export const unsent = signal<Unsent[]>([])
export const connected = signal(true)
export const typing = signal('')
export const refusal = signal<Problem | null>(null)
export const words = signal(load('words', ''))
export const support = signal<Support | null>(null)
export const sound = signal(load('sound', true))
/** The ticket form stands in the panel; `why` says for what reason it came by itself. */
export const form = signal<{ why: string } | null>(null)
let socket: Socket | undefined
let token = ''
let atEnd = true

export function remember(p: Partial<Particulars>): void { me.value = { ...me.value, ...p }; save('me', me.value) }
export function write(text: string): void {
  words.value = text
  save('words', text || null)
  socket?.send({ type: 'typing', on: text !== '' })
}
export function mute(): void { sound.value = !sound.value; save('sound', sound.value) }

/** The product that is meant: the customer's choice, or the page's, if the server knows it. */
export function product() {
  const named = (what: string) => support.value?.products.find(p => p.id === what || p.name === what)
  return named(me.value.product) ?? named(from.product) ?? support.value?.products[0]
}

let starting = false
export async function start(): Promise<void> {
  if (starting) return // a double click is one chat
  starting = true
  refusal.value = null
  const { name, email, question } = me.value
  try {
    const made = await call<{ chat: Chat; token: string }>('/chats', { body: { name, email, question, product: product()?.id ?? '', timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, page_url: from.page }, key: uuid() })
    remember({ question: '' })
    join({ id: made.chat.id, token: made.token })
    chat.value = made.chat
  } catch (e) {
    refusal.value = e as Problem
    if (['outside_hours', 'unstaffed', 'queue_full'].includes(refusal.value.code)) form.value = { why: refusal.value.message }
  } finally { starting = false }
}

/** Everything the customer has written so far, sent or not. */
export function written(): string {
  const said = log.value.filter(m => m.from.kind === 'customer').map(m => m.body)
  return [...(said.length ? said : [chat.value?.question ?? me.value.question]), ...unsent.value.map(u => u.body), words.value].filter(s => s.trim()).join('\n\n')
}

/** Makes a ticket of the chat: its transcript goes along, and done twice it is the same ticket. */
export function convert<T>(body: object): Promise<T> {
  return call<T>(`/chats/${chat.value!.id}/ticket`, { body, token })
}

function join(kept: Kept): void {
  unwatch()
  token = kept.token
  fileToken.value = token
  unsent.value = load<Unsent[]>('unsent', []).filter(u => u.chat === kept.id && !tooLong(u.body))
  hold(kept)
  socket?.close()
  socket = new Socket('/ws/chat', () => ({ token, after: cursor(log.value) }), f => frame(f, kept), up => { connected.value = up; if (!up) typing.value = '' })
}

let held = ''
/** Keeps the chat over a reload; one that has ended for a day, so that its ticket can still be made. */
function hold(kept: Kept | null): void {
  const now = JSON.stringify(kept)
  if (now === held) return
  held = now
  save('chat', kept)
  lend(kept)
}

function frame(f: Frame, kept: Kept): void {
  switch (f.type) {
    case 'welcome':
      is(f['chat'] as Chat)
      for (const u of unsent.value) socket!.send({ type: 'send', id: u.id, body: u.body })
      break
    case 'chat':
      is(f['chat'] as Chat)
      break
    case 'message': {
      const m = f as unknown as Message
      const fresh = m.seq > cursor(log.value) && m.seq > (chat.value?.read.customer ?? 0)
      log.value = merge(log.value, m)
      keep(without(unsent.value, m.id)) // it came back by a resume
      if (m.from.kind === 'champion') {
        typing.value = ''
        if (fresh && !inView.value) { missed(); if (sound.value) chime('message') }
      }
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
      clearTimeout(writing)
      writing = window.setTimeout(() => { typing.value = '' }, 8000) // who has gone writes no more
      break
    case 'read':
      if (chat.value) chat.value = { ...chat.value, read: { ...chat.value.read, [f['by'] as string]: f['seq'] as number } }
      break
    case 'error': {
      const lost = unsent.value.find(u => u.id === f['id'])
      if (f['code'] === 'unknown_chat' && !f['id']) forget()
      else if (f['code'] === 'unavailable') setTimeout(() => { const u = unsent.value.find(x => x.id === f['id']); if (u) socket?.send({ type: 'send', id: u.id, body: u.body }) }, 1500)
      else if (lost) { write([lost.body, words.value].filter(s => s).join('\n')); keep(without(unsent.value, lost.id)) } // the words go back into the box
      break
    }
  }
  if (chat.value) hold({ ...kept, ...(over(chat.value) ? { ended: Date.parse(chat.value.ended_at ?? '') || Date.now() } : {}) })
}
let writing = 0

export function over(c: Chat): boolean { return c.state === 'ended' || c.state === 'missed' }

/** Takes in how the chat stands; one that nobody could take becomes the form. */
function is(c: Chat): void {
  const was = chat.value?.state
  chat.value = c
  if (c.state === 'missed' && !c.ticket && was !== 'missed') form.value = { why: c.reason === 'closed' ? 'Chat has closed for today.' : 'No Customer Champion could take your chat.' }
  if (c.state === 'active' && was === 'queued' && !inView.value) { missed(); if (sound.value) chime('waiting') }
}

function keep(list: Unsent[]): void {
  if (list.length === unsent.value.length && list.every((u, i) => u === unsent.value[i])) return
  unsent.value = list
  save('unsent', list.length ? list : null)
}

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

/** What is on the screen is seen, and nothing else. */
function seen(): void {
  const last = log.value.at(-1)
  const c = chat.value
  if (!c || !last || !atEnd || !inView.value || form.value || last.seq <= c.read.customer) return
  if (socket?.send({ type: 'read', seq: last.seq })) chat.value = { ...c, read: { ...c.read, customer: last.seq } }
}
export function reached(end: boolean): void { atEnd = end; seen() }

/** Ends the chat; false while there is no connection to say so. */
export function end(): boolean { return socket?.send({ type: 'end' }) ?? false }

/** Begins anew; nothing of the old chat stays here. */
export function forget(): void {
  socket?.close()
  socket = undefined
  hold(null)
  keep([])
  chat.value = null
  log.value = []
  form.value = null
  refusal.value = null
  connected.value = true
  void watch()
}

const day = 24 * 3_600_000
export function begin(): void {
  call<Support>('/support').then(s => { support.value = s }, () => undefined)
  listen(kept => { if (!chat.value && !socket) { connected.value = false; join(kept) } })
  const kept = load<Kept | null>('chat', null)
  if (kept && (!kept.ended || Date.now() - kept.ended < day)) { connected.value = false; join(kept) } else { save('chat', null); void watch() }
  effect(() => { if (inView.value && !form.value) seen() })
}
