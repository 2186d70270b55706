import { Composer } from '../lib/composer'
import { Attach, intoChat } from '../lib/files'
import { Linked } from '../lib/links'
import { Log } from '../lib/log'
import { clock } from '../lib/time'
import type { Message, Note } from '../lib/types'
import { dialog } from './dialogs'
import { write, written } from './drafts'
import { manager, Picker } from './macros/picker'
import { pick, values } from './macros/store'
import { about, accept, box, connected, current, deliver, draft, drawer, logs, me, note, noteMode, notes, open, presence, reached, screen, send, show, takeOver, ticket, typing, unsent } from './store'

export function Talk() {
  const c = current.value
  if (!c || !open.value) return <section class="pane talk"><div class="empty"><h1>No chat is open</h1>
    {me.value?.state === 'online' ? <p>Take who waits with <kbd>A</kbd>. All keys: <kbd>?</kbd></p> : <><p>You are {me.value?.state}: no chats are offered to you.</p><p><button class="button" data-kind="main" onClick={() => presence('online')}>Go online</button></p></>}</div></section>
  const own = c.state === 'active' && c.champion?.id === me.value?.id
  const is = typing.value[c.id]
  return (
    <section class="pane talk" aria-label={`Chat with ${c.customer.name}`}>
      <header class="talk__head">
        <div><button class="button back" data-kind="plain" onClick={() => show(null)}>Back</button><h1>{c.customer.name}</h1><p class="quiet">{c.customer.email}{c.customer.online ? '' : ', away'}</p></div>
        {c.state === 'queued' && <button class="button" data-kind="main" onClick={() => accept(c.id)}>Take <kbd>A</kbd></button>}
        <button class="button narrow" data-kind="plain" aria-pressed={about.value} onClick={() => { about.value = !about.value }}>Customer <kbd>I</kbd></button>
        {c.ticket ? <button class="button" onClick={() => { ticket.value = c.ticket; screen.value = 'tickets' }}>Ticket {c.ticket} <kbd>T</kbd></button>
          : <button class="button" onClick={() => { drawer.value = true }}>Make ticket <kbd>T</kbd></button>}
        {own && <><button class="button" data-kind="plain" onClick={() => { dialog.value = 'transfer' }}>Transfer <kbd>X</kbd></button>
          <button class="button" data-kind="plain" onClick={() => { dialog.value = 'end' }}>End <kbd>E</kbd></button></>}
      </header>
      <Log key={c.id} class="talk__log" count={(logs.value[c.id]?.length ?? 0) + (notes.value[c.id]?.length ?? 0)} own={logs.value[c.id]?.at(-1)?.from.kind === 'champion'} onEnd={reached}><ol class="messages">{rows(logs.value[c.id] ?? [], notes.value[c.id] ?? []).map(r => 'seq' in r ? <Said key={r.id} m={r} seen={c.read.customer} /> : <NoteRow key={r.id} n={r} />)}
        {unsent.value.filter(u => u.chat === c.id).map(u => <li key={u.id} class="message" data-own><p class="message__body"><Linked text={u.body} /></p><p class="message__when">{connected.value ? 'Sending…' : 'Not sent yet, kept here'}</p></li>)}</ol></Log>
      <footer class="talk__foot">
        <p class="quiet" role="status">{is ? `${is} is writing…` : '\u00a0'}</p>
        {own ? (
          <div class="has-picker">
          <Picker box={box(c.id)} values={values({ ...c.customer, ticket: c.ticket, product: c.product })} onPick={t => { if (t) draft(c.id, written(box(c.id)) + t); document.getElementById('composer')?.focus() }} />
          <Composer onSlash={() => pick(box(c.id))} value={written(box(c.id))} note={noteMode.value} onInput={v => draft(c.id, v)} onSend={send} label={noteMode.value ? 'Internal note' : 'Reply'}
            placeholder={noteMode.value ? 'For champions only; the customer never sees it' : `Reply to ${c.customer.name}`} button={noteMode.value ? 'Keep note' : 'Send'}>
            <button class="button" data-kind={noteMode.value ? 'plain' : undefined} type="button" aria-pressed={!noteMode.value} onClick={() => { noteMode.value = false }}>Reply</button>
            <button class="button" data-kind={noteMode.value ? undefined : 'plain'} type="button" aria-pressed={noteMode.value} onClick={() => { noteMode.value = true }}>Note <kbd>N</kbd></button>
            <button class="button" data-kind="plain" type="button" onClick={() => pick(box(c.id))}>Macro <kbd>/</kbd></button>
            <Attach place={c.id} onFile={up => intoChat(c.id, up, body => deliver(c.id, body))} />
          </Composer></div>
        ) : c.state === 'active' && manager() ? <Whisper chat={c.id} to={c.champion?.name ?? 'the champion'} /> : <p class="notice">{c.state === 'queued' ? 'Waiting. Take the chat to answer.' : c.state === 'active' ? `${c.champion?.name ?? 'Somebody'} has this chat.` : 'The chat has ended.'}</p>}
      </footer>
    </section>
  )
}

/** What a manager sees below a chat of somebody else: a word to him that no customer reads, and a way to take it over. */
function Whisper({ chat, to }: { chat: string; to: string }) {
  const place = `chat-note:${chat}`
  return (
    <Composer value={written(place)} note onInput={v => write(place, v)} onSend={() => { if (note(chat, written(place))) write(place, '') }} label={`Whisper to ${to}`} placeholder={`A word to ${to}; the customer never sees it, nor that you are here`} button="Whisper">
      <button class="button" data-kind="plain" type="button" onClick={() => takeOver(chat)}>Take over</button>
    </Composer>
  )
}

/** Notes stand after the message they were written at. */
function rows(log: Message[], list: Note[]): (Message | Note)[] {
  const out: (Message | Note)[] = []
  const at = (n: number) => list.filter(x => x.after_seq === n)
  out.push(...at(0))
  for (const m of log) out.push(m, ...at(m.seq))
  return out
}

function Said({ m, seen }: { m: Message; seen: number }) {
  if (m.from.kind === 'system') return <li class="message" data-kind="system">{m.body} <time dateTime={m.at}>{clock(m.at)}</time></li>
  const own = m.from.kind === 'champion'
  return (
    <li class="message" data-own={own || undefined}>
      <p class="message__who">{own && m.from.name === me.value?.name ? 'You' : m.from.name}</p>
      <p class="message__body"><Linked text={m.body} /></p>
      <p class="message__when"><time dateTime={m.at}>{clock(m.at)}</time>{own && (m.seq <= seen ? ' · Seen' : ' · Delivered')}</p>
    </li>
  )
}
function NoteRow({ n }: { n: Note }) {
  return <li class="message" data-kind="note"><p class="message__who">Note, for champions only · {n.from.name}</p><p class="message__body">{n.body}</p><p class="message__when">{clock(n.at)}</p></li>
}
