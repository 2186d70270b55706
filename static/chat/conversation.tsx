import { signal } from '@preact/signals'
import { Composer } from '../lib/composer'
import { tooLong } from '../lib/conversation'
import { Attach, intoChat } from '../lib/files'
import { Linked } from '../lib/links'
import { Log } from '../lib/log'
import { clock } from '../lib/time'
import { embedded } from './host'
import { chat, connected, end, forget, form, log, over, reached, say, send, typing, unsent, words, write } from './store'

const leaving = signal(false)

export function Conversation() {
  const c = chat.value!
  const done = over(c)
  const last = log.value.at(-1)
  return (
    <>
      <Log class="panel__log" count={log.value.length + unsent.value.length} own={unsent.value.length > 0 || last?.from.kind === 'customer'} onEnd={reached}>
        <ol class="messages">
          {log.value.map(m => m.from.kind === 'system'
            ? <li key={m.id} class="message" data-kind="system">{m.body}</li>
            : <li key={m.id} class="message" data-own={m.from.kind === 'customer' || undefined}>
                <p class={m.from.kind === 'customer' ? 'unseen' : 'message__who'}>{m.from.kind === 'customer' ? 'You' : m.from.name}</p>
                <p class="message__body"><Linked text={m.body} /></p>
                <p class="message__when"><time dateTime={m.at}>{clock(m.at)}</time>{m.from.kind === 'customer' && (m.seq <= c.read.champion ? ' · Seen' : c.state === 'queued' ? ' · Kept for the champion' : ' · Delivered')}</p>
              </li>)}
          {unsent.value.map(u => (
            <li key={u.id} class="message" data-own><p class="unseen">You</p><p class="message__body"><Linked text={u.body} /></p>
              <p class="message__when">{connected.value ? 'Sending…' : 'Not sent yet, kept here'}</p></li>
          ))}
        </ol>
      </Log>
      <div class="panel__foot">
        {typing.value && !done && <p class="quiet" role="status">{typing.value} is writing…</p>}
        {!done && tooLong(words.value) && <p class="wrong" role="alert">This is too long for one message. Attach it as a file.</p>}
        {done ? <Over /> : leaving.value ? <Leave /> : (
          <Composer value={words.value} onInput={write} onSend={send} label="Message" button="Send"
            placeholder={c.state === 'queued' ? 'Go on writing; the champion reads it all' : 'Write a message'}>
            <Attach place={c.id} onFile={up => intoChat(c.id, up, say)} />
            {c.state === 'queued' && <button class="button" data-kind="plain" type="button" onClick={() => { form.value = { why: '' } }}>Write a ticket instead</button>}
            <button class="button" data-kind="plain" type="button" onClick={() => { leaving.value = true }}>End chat</button>
          </Composer>
        )}
      </div>
    </>
  )
}

/** One slip beside Attach ends no conversation. */
function Leave() {
  const c = chat.value!
  return (
    <div class="notice" role="alertdialog" aria-label="End this chat?">
      <p>{c.state === 'queued' ? 'Leave the queue? Your place is given up.' : 'End this chat? It cannot be taken up again.'}</p>
      {!connected.value && <p class="wrong">There is no connection at the moment; try again when it is back.</p>}
      <p class="actions">
        <button class="button" data-kind="main" type="button" ref={b => b?.focus()} disabled={!connected.value} onClick={() => { if (end()) leaving.value = false }}>{c.state === 'queued' ? 'Leave' : 'End it'}</button>
        <button class="button" type="button" onClick={() => { leaving.value = false }}>Stay</button>
      </p>
    </div>
  )
}

function Over() {
  const c = chat.value!
  return (
    <div class="notice">
      {c.ticket
        ? <p><strong>This is now ticket {c.ticket}.</strong> You hear from us at least once every business day. <a href={`/tickets/${c.ticket}`} {...(embedded ? { target: '_blank', rel: 'noopener' } : {})}>Follow ticket {c.ticket}</a></p>
        : <p>The chat has ended. Not done yet? A ticket takes the whole conversation along.</p>}
      <p class="actions">
        {!c.ticket && <button class="button" type="button" onClick={() => { form.value = { why: '' } }}>Make a ticket of it</button>}
        <button class="button" type="button" onClick={forget}>New chat</button>
      </p>
    </div>
  )
}
