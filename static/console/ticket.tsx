import { uuid } from '../lib/uuid'
import { useEffect, useRef, useState } from 'preact/hooks'
import { call, Problem } from '../lib/api'
import { older } from '../lib/system'
import { day } from '../lib/time'
import { size } from '../lib/upload'
import { Attach } from '../lib/files'
import { Escalations, type Escalation } from './escalation'
import { write, written } from './drafts'
import { ticketKeys } from './keys'
import { Picker } from './macros/picker'
import { pick, values } from './macros/store'
import { news, staff, support, unsendable } from './store'
import { Promise as Next, type Ticket } from './tickets'

interface Upload { id: string; name: string; size: number; preview: boolean }
interface Full extends Ticket {
  comments: { id: string; author: { kind: string; name: string }; body: string; public: boolean; at: string; attachments: Upload[] }[]
  files: Upload[]
  escalations: Escalation[]
  merged_into: number | null
  why?: Record<string, string>
  mail_problem?: string | null
  survey?: { rating: number; comment: string } | null
  history: { at: string; actor: { name: string; kind: string }; event: string; from: string; to: string; why: string }[]
  diagnostics: Record<string, string | string[]>
}

export function TicketPage({ number, back, onError }: { number: number; back(): void; onError(s: string): void }) {
  const [t, setT] = useState<Full | null>(null)
  const [note, setNote] = useState(false)
  const box = `${note ? 'ticket-note' : 'ticket'}:${number}` // a note and a reply are written in boxes of their own
  const body = written(box)
  const [files, setFiles] = useState<Upload[]>([])
  const [key, setKey] = useState(uuid())
  const [failed, setFailed] = useState('')
  const [fresh, setFresh] = useState('') // who wrote while an answer was being written
  const latest = useRef({ body, said: -1 })
  latest.current.body = body
  const take = (next: Full) => {
    const theirs = next.comments.filter(c => c.author.kind === 'customer')
    if (latest.current.said >= 0 && theirs.length > latest.current.said && latest.current.body.trim()) setFresh(theirs.at(-1)!.author.name)
    latest.current.said = theirs.length
    setT(next)
    setFailed('')
  }
  const load = () => call<{ ticket: Full }>(`/tickets/${number}`).then(r => take(r.ticket), (e: Problem) => { setFailed(e.message); if (t) onError(e.message) })
  useEffect(() => { void load() }, [number])
  useEffect(() => { if (t && (news.value.numbers?.includes(number) ?? true)) void load() }, [news.value]) // what others do is seen here
  useEffect(() => {
    const into = (asNote: boolean) => () => { setNote(asNote); document.getElementById('reply')?.focus() }
    Object.assign(ticketKeys, { r: into(false), n: into(true) })
    return () => { delete ticketKeys['r']; delete ticketKeys['n'] }
  }, [number])
  const act = async (f: () => Promise<{ ticket: Full }>) => {
    try { take((await f()).ticket) } catch (e) {
      const p = e as Problem
      if (p.refused) setKey(uuid())
      onError(p.code === 'stale' ? 'Somebody changed the ticket meanwhile. This is how it is now.' : p.errors[0]?.detail ?? p.message)
      if (p.code === 'stale') await load()
    }
  }
  const reply = (more: object) => act(async () => {
    const why = unsendable(body)
    if (why) throw new Problem(0, 'unfilled', why, [], {})
    const r = await call<{ ticket: Full }>(`/tickets/${number}/comments`, { body: { body, ...more, ...(files.length ? { attachments: files.map(f => f.id) } : {}) }, key })
    write(box, '')
    setFiles([])
    setFresh('')
    latest.current.body = ''
    setKey(uuid())
    return r
  })
  const change = (more: object) => act(() => call(`/tickets/${number}`, { method: 'PATCH', body: { version: t!.version, ...more } }))
  if (!t && failed) return <main class="pane"><p class="notice" data-tone="late" role="alert">Ticket {number}: {failed} <button class="button" onClick={() => void load()}>Try again</button> <button class="button" data-kind="plain" onClick={back}>Back to the list</button></p></main>
  if (!t) return <p class="empty" role="status">Loading ticket {number}…</p>
  const closed = t.status === 'closed'
  return (
    <main class="ticket pane">
      <div class="ticket__main">
        <p><button class="button" data-kind="plain" onClick={back}>Back to the list</button></p>
        <h1>{t.number} · {t.subject}</h1>
        <p><span class="badge" data-is={t.status}>{t.status}</span> {t.update_due_at && 'Next update: '}<Next t={t} />{t.follow_up_of && <> · follow-up of {t.follow_up_of}</>}{t.merged_into && <> · merged into {t.merged_into}</>}</p>
        {t.why && <details><summary>Why is it so?</summary><ul class="why">{Object.entries(t.why).map(([k, v]) => <li key={k}><strong>{reasons[k]}</strong> {v}</li>)}</ul></details>}
        {t.mail_problem && <p class="notice" data-tone="late" role="alert">The customer did not get our mail. {t.mail_problem}</p>}
        {t.survey && <p class="notice">The customer's rating: <strong>{t.survey.rating} of 5</strong>{t.survey.comment && `. “${t.survey.comment}”`}</p>}
        <Escalations list={t.escalations} changed={() => void load()} onError={onError} />
        {t.comments.map(c => <article class="comment" data-public={String(c.public)} key={c.id}><strong>{c.author.name || 'Chatnow'}</strong> <span class="quiet">{day(c.at)}{!c.public && ' · note, for champions only'}</span><p>{c.body}</p><Files list={c.attachments} /></article>)}
        {closed ? <p class="notice">Closed is final. A reply of the customer opens a follow-up.</p> : (
          <div class="answer-box has-picker" data-note={String(note)}>
            <Picker box={box} values={values({ ...t.requester, ticket: t.number, product: String(t.diagnostics['product'] ?? '') })} onPick={s => { if (s) write(box, body + s); document.getElementById('reply')?.focus() }} />
            <p class="filters"><button class="button" type="button" aria-pressed={!note} onClick={() => setNote(false)}>Reply <kbd>R</kbd></button><button class="button" type="button" aria-pressed={note} onClick={() => setNote(true)}>Note <kbd>N</kbd></button>
              <span class="quiet">{note ? 'For champions only; the customer never sees it.' : `Goes to ${t.requester.name} by mail.`}</span></p>
            <label class="unseen" for="reply">{note ? 'Note' : 'Reply'}</label><textarea class="input" id="reply" value={body} onInput={e => write(box, e.currentTarget.value)} onKeyDown={e => { if (e.key === '/' && !body) { e.preventDefault(); pick(box) } }} />
            <Files list={files} />
            {fresh && <p class="notice" data-tone="soon" role="alert">{fresh} wrote while you did; it stands above. <button class="button" type="button" onClick={() => setFresh('')}>I have read it</button></p>}
            <p class="filters">{note ? <button class="button" data-kind="main" disabled={!body.trim() || !!fresh} onClick={() => void reply({ public: false })}>Keep note</button> : <>
              <button class="button" data-kind="main" disabled={!body.trim() || !!fresh} onClick={() => void reply({ status: 'solved' })}>Send and solve</button>
              <button class="button" disabled={!body.trim() || !!fresh} onClick={() => void reply({ status: 'pending' })}>Send and ask (Pending)</button>
              <button class="button" disabled={!body.trim() || !!fresh} onClick={() => void reply({ status: 'open' })}>Send, keep Open</button></>}
              <button class="button" data-kind="plain" type="button" onClick={() => pick(box)}>Macro <kbd>/</kbd></button>
              <Attach place={`ticket ${number}`} onFile={up => setFiles(l => [...l, up])} /></p></div>
        )}
        <h2>What happened</h2>
        <ol class="history">{t.history.map(h => <li><time dateTime={h.at} class="quiet">{day(h.at)}</time> <strong>{events[h.event] ?? h.event}</strong> {h.from && `${h.from} → `}{h.event === 'created' ? '' : h.to}{h.actor.name && ` by ${h.actor.name}`}. {h.why && <span class="quiet">{h.why}</span>}</li>)}</ol>
      </div>
      <aside class="side" aria-label="Particulars">
        <dl><dt>Requester</dt><dd>{t.requester.name}<br />{t.requester.email}</dd></dl>
        <div class="field"><label for="t-priority">Priority</label><select class="input" id="t-priority" disabled={closed} value={t.priority} onChange={e => void change({ priority: e.currentTarget.value })}>{support.value?.priorities.map(p => <option value={p.id}>{p.name}: {p.question}</option>)}</select></div>
        <div class="field"><label for="t-assignee">Assignee</label><select class="input" id="t-assignee" disabled={closed} value={t.assignee?.id ?? ''} onChange={e => void change({ assignee: e.currentTarget.value })}><option value="">Nobody</option>{staff.value.map(m => <option value={m.id}>{m.name}</option>)}</select></div>
        <Merge t={t} act={act} />
        <h2>Diagnostics</h2>
        <Files list={t.files} />
        <dl>{Object.entries(t.diagnostics).filter(([k, v]) => v.length > 0 && k !== 'logs' && k !== 'screenshots').map(([k, v]) => <><dt>{labels[k] ?? k}</dt><dd>{Array.isArray(v) ? v.join(', ') : v}{k === 'app_version' && <Version has={String(v)} product={String(t.diagnostics['product'])} />}</dd></>)}</dl>
      </aside>
    </main>
  )
}

const labels: Record<string, string> = { product: 'Product', os: 'System', os_version: 'Its version', app_version: 'App', devices: 'Computers', accounts: 'Accounts', destinations: 'Destinations', description: 'Description' }
const events: Record<string, string> = { created: 'Came', status: 'Status', priority: 'Priority', assigned: 'Assigned to', details: 'Edited', escalated: 'A manager was asked for', escalation: 'Escalation', escalation_over: 'Escalation', merged: 'Merged', unmerged: 'Merge undone', took_in: 'Took in ticket', gave_back: 'Gave back ticket', reminded: 'The customer was reminded', survey: 'The customer was asked how we did' }
const reasons: Record<string, string> = { status: 'The status.', priority: 'The priority.', update_due_at: 'The next update.', solves_at: 'Solving itself.', closes_at: 'Closing.' }

/** Puts a ticket into another one of the same matter; undone within a day. */
function Merge({ t, act }: { t: Full; act(f: () => Promise<{ ticket: Full }>): Promise<void> }) {
  const [into, setInto] = useState('')
  const [other, setOther] = useState(false)
  const path = `/tickets/${t.number}`
  if (t.merged_into) return <p><button class="button" onClick={() => void act(() => call(`${path}/unmerge`, { method: 'POST', body: {}, key: uuid() }))}>Undo the merge into {t.merged_into}</button></p>
  if (t.status === 'closed') return null
  const go = () => act(async () => {
    try {
      await call(`${path}/merge`, { body: { into: Number(into), confirm: other }, key: uuid() })
      return await call<{ ticket: Full }>(path)
    } catch (e) {
      if ((e as Problem).code === 'other_requester') setOther(true)
      throw e
    }
  })
  return (
    <details><summary>Merge into another ticket</summary>
      <form class="filters" onSubmit={e => { e.preventDefault(); void go() }}><label class="unseen" for="into">Number of the other ticket</label><input class="input" id="into" inputMode="numeric" placeholder="Number" value={into} onInput={e => setInto(e.currentTarget.value)} />
        <button class="button" disabled={!Number(into)}>{other ? 'Merge all the same' : 'Merge'}</button></form></details>
  )
}

/** Tells at a glance that an app is not the current one (M47). */
function Version({ has, product }: { has: string; product: string }) {
  const now = support.value?.products.find(p => p.name === product || (!product && p.served))?.version
  return now && older(has, now) ? <> <span class="badge" data-is="high">current is {now}</span></> : null
}

function Files({ list }: { list: Upload[] }) {
  return list.length ? <ul class="files">{list.map(f => <li key={f.id}><a href={`/api/v1/uploads/${f.id}`}>{f.preview && <img src={`/api/v1/uploads/${f.id}/preview`} alt="" loading="lazy" />}{f.name}, {size(f.size)}</a></li>)}</ul> : null
}
