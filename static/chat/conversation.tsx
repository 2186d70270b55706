import { tooLong } from '../lib/conversation'
import { Composer } from '../lib/composer'
import { Attach, intoChat } from '../lib/files'
import { Linked } from '../lib/links'
import { clock } from '../lib/time'
import { chat, connected, end, forget, log, say, send, ticket, typing, unsent, words, write } from './store'

export function Conversation() {
  const c = chat.value!
  const over = c.state === 'ended' || c.state === 'missed'
  return (
    <>
      <div class="panel__log" tabIndex={0} aria-label="Conversation" role="log" aria-live="polite">
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
      </div>
      <div class="panel__foot">
        {typing.value && <p class="quiet" role="status">{typing.value} is writing…</p>}
        {!over && tooLong(words.value) && <p class="wrong" role="alert">This is too long for one message. Attach it as a file.</p>}
        {over ? <Over /> : (
          <Composer value={words.value} onInput={write} onSend={send} label="Message" button="Send"
            placeholder={c.state === 'queued' ? 'Go on writing; the champion reads it all' : 'Write a message'}>
            <Attach place={c.id} onFile={up => intoChat(c.id, up, say)} />
            <button class="button" data-kind="plain" type="button" onClick={end}>End chat</button>
            {c.state === 'queued' && <button class="button" data-kind="plain" type="button" onClick={() => { ticket('A ticket instead of waiting.'); end() }}>Write a ticket instead</button>}
          </Composer>
        )}
      </div>
    </>
  )
}

function Over() {
  const c = chat.value!
  return (
    <div class="notice">
      <p>{c.ticket ? <><strong>This is now ticket {c.ticket}.</strong> You hear from us at least once every business day.</> : 'The chat has ended.'}</p>
      <p class="actions">
        {!c.ticket && <button class="button" type="button" onClick={() => ticket('You can go on with a ticket.')}>Make a ticket of it</button>}
        <button class="button" type="button" onClick={forget}>New chat</button>
      </p>
    </div>
  )
}
