import { useEffect, useState } from 'preact/hooks'
import { call, Problem } from '../../lib/api'
import { day } from '../../lib/time'

interface Entry { id: string; kind: string; to: string; ticket: number | null; state: string; tries: number; problem?: string; created_at: string; next_at?: string; sent_at?: string }
interface Mail extends Entry { from: string; subject: string; text: string; html: string }
const states: [string, string][] = [['', 'All'], ['waiting', 'Waiting'], ['sent', 'Sent'], ['failed', 'Failed'], ['held', 'Held back']]

/** Every mail, as its reader gets it. */
export function Outbox() {
  const [state, setState] = useState('')
  const [list, setList] = useState<Entry[] | null>(null)
  const [more, setMore] = useState<string | undefined>()
  const [sending, setSending] = useState(true)
  const [mail, setMail] = useState<Mail | null>(null)
  const [failed, setFailed] = useState('')
  const oops = (e: Problem) => setFailed(e.message)
  const load = (cursor?: string) => call<{ mails: Entry[]; sending: boolean; next_cursor?: string }>(`/outbox?${new URLSearchParams({ state, limit: '50', ...(cursor ? { cursor } : {}) })}`)
    .then(r => { setFailed(''); setList(cursor ? [...(list ?? []), ...r.mails] : r.mails); setSending(r.sending); setMore(r.next_cursor) }, oops)
  useEffect(() => { void load() }, [state])
  const read = (id: string) => call<{ mail: Mail }>(`/outbox/${id}`).then(r => setMail(r.mail), oops)
  const retry = (id: string) => call<{ mail: Mail }>(`/outbox/${id}/retry`, { method: 'POST', body: {} }).then(r => { setMail(r.mail); void load() }, oops)
  if (mail) {
    return (
      <section class="group">
        <p class="filters"><button class="button" type="button" onClick={() => setMail(null)}>Back to the list</button>{(mail.state === 'failed' || mail.state === 'waiting') && sending && <button class="button" type="button" onClick={() => void retry(mail.id)}>Try now</button>}</p>
        <h2>{mail.subject}</h2>
        <p class="quiet">From {mail.from} to {mail.to}, {day(mail.created_at)}. {mail.state}{mail.problem && `: ${mail.problem}`}</p>
        <iframe class="letter" sandbox="" src={`/api/v1/outbox/${mail.id}/html`} title={`Mail: ${mail.subject}`} />
        <details><summary>As plain text</summary><pre>{mail.text}</pre></details>
      </section>
    )
  }
  return (
    <section class="group">
      {!sending && <p class="notice" data-tone="soon">No mail server is set, so mails stay here. Start the program with <code>CHATNOW_SMTP_URL</code> to send them.</p>}
      {failed && <p class="notice" data-tone="late" role="alert">{failed} <button class="button" type="button" onClick={() => void load()}>Try again</button></p>}
      <div class="filters" role="toolbar" aria-label="Which mails">{states.map(([id, name]) => <button class="button" type="button" aria-pressed={state === id} onClick={() => setState(id)}>{name}</button>)}</div>
      {list?.length === 0 && <p class="empty">No mail is in this view.</p>}
      {list && list.length > 0 && <table class="table"><thead><tr><th>When</th><th>To</th><th>What</th><th>State</th></tr></thead>
        <tbody>{list.map(m => <tr key={m.id}><td>{day(m.created_at)}</td><td>{m.to}</td><td><button class="link" type="button" onClick={() => void read(m.id)}>{m.kind.replace('_', ' ')}{m.ticket && ` · ${m.ticket}`}</button></td><td>{m.state}{m.problem && <span class="wrong"> {m.problem}</span>}</td></tr>)}</tbody></table>}
      {more && <p><button class="button" type="button" onClick={() => void load(more)}>More</button></p>}
    </section>
  )
}
