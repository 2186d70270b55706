import { signal } from '@preact/signals'
import { call, Problem } from '../lib/api'
import { day } from '../lib/time'
import { uuid } from '../lib/uuid'
import { gate, shut } from './gate'
import { embedded } from './host'
import { Field } from './start'
import { chat, convert, end, forget, form, me, over, product, remember, support, write, written } from './store'

interface Sent { number: number; update_due_at: string | null }
const sent = signal<Sent | null>(null)
const problem = signal<Problem | null>(null)
const priority = signal('normal')
const text = signal<string | null>(null) // as it was edited; null as long as it is what was written
const busy = signal(false)
let key = uuid() // double click, retry and back make one ticket

/** The first line, as far as a subject goes. */
function subject(description: string): string {
  const line = description.trim().split('\n')[0]!
  return line.length <= 80 ? line : `${line.slice(0, 79).replace(/\s+\S*$/, '')}…`
}

async function submit(): Promise<void> {
  if (busy.value) return
  busy.value = true
  problem.value = null
  const description = text.value ?? written()
  const served = product()?.served ? product()!.name : ''
  const c = chat.value
  try {
    const made = c
      ? await convert<{ ticket: Sent }>({ subject: subject(c.question || description), priority: priority.value, diagnostics: { ...(served && !c.product ? { product: served } : {}), description } })
      : await call<{ ticket: Sent }>('/tickets', { key, body: { name: me.value.name, email: me.value.email, subject: subject(description), description, priority: priority.value, diagnostics: { product: served }, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone } })
    sent.value = made.ticket
    remember({ question: '' })
    write('')
    text.value = null
    key = uuid()
    if (c?.state === 'queued') end() // only now: the words are safe
  } catch (e) {
    problem.value = e as Problem
    if (problem.value.refused) key = uuid()
  } finally { busy.value = false }
}

function close(): void {
  if (chat.value?.state === 'missed') forget()
  form.value = null
  problem.value = null
}

/** The form with every diagnostic field, with what was typed in it; an address has its limits. */
function whole(): string {
  const description = text.value ?? written()
  return `/tickets/new?${new URLSearchParams({ name: me.value.name, email: me.value.email, subject: subject(description), description: description.slice(0, 3000), priority: priority.value })}`
}

export function TicketForm() {
  const c = chat.value
  const wrong = (name: string) => problem.value?.field(name)
  if (sent.value) return <Thanks t={sent.value} />
  const description = text.value ?? written()
  const unplaced = problem.value?.errors.filter(e => !['name', 'email', 'description'].includes(e.field)).map(e => e.detail) ?? []
  return (
    <form class="panel__form" onSubmit={e => { e.preventDefault(); void submit() }}>
      {form.value!.why && <p class="notice" data-tone="soon" role="status">{form.value!.why} Your words are kept below.</p>}
      <Meanwhile />
      {problem.value && (problem.value.errors.length === 0 || unplaced.length > 0) && <p class="notice" data-tone="late" role="alert">{unplaced.join(' ') || problem.value.message}</p>}
      {c ? <p class="quiet">For {c.customer.name}, {c.customer.email}. The conversation goes along.</p> : <>
        <Field id="name" label="Your name" auto="name" value={me.value.name} wrong={wrong('name')} set={v => remember({ name: v })} />
        <Field id="email" label="E-mail address" type="email" auto="email" value={me.value.email} wrong={wrong('email')} set={v => remember({ email: v })} />
      </>}
      <div class="field"><label for="description">What happened?</label><textarea class="input" id="description" required value={description} onInput={e => { text.value = e.currentTarget.value }} />
        {wrong('description') && <span class="wrong">{wrong('description')}</span>}</div>
      <fieldset><legend class="label">Which is true for you?</legend>
        {support.value?.priorities.map(p => (
          <label class="choice"><input type="radio" name="priority" checked={priority.value === p.id} onChange={() => { priority.value = p.id }} /><span>{p.question}</span><span class="badge" data-is={p.id}>{p.name}</span></label>
        ))}
      </fieldset>
      <div class="actions"><button class="button" data-kind="main" data-size="large" disabled={busy.value}>Send ticket</button>
        <button class="button" type="button" onClick={close}>{c?.state === 'queued' ? 'Back to the queue' : c && c.state !== 'missed' ? 'Back to the chat' : 'Back'}</button>
        {!c && <a class="button" data-kind="plain" href={whole()} target="_blank" rel="noopener">The whole form, with files</a>}</div>
    </form>
  )
}

/** Somebody came while the form was filled in. */
function Meanwhile() {
  const c = chat.value
  if (c?.state === 'active') return <div class="place" role="alert"><strong>{c.champion?.name ?? 'A Customer Champion'} is here now</strong><span><button class="button" data-kind="main" type="button" onClick={() => { form.value = null }}>Go to the chat</button></span></div>
  if (!c && form.value!.why && gate.value && !shut(gate.value)) return <div class="place" role="status"><strong>Chat is open now</strong><span><button class="button" type="button" onClick={() => { if (!me.value.question.trim()) remember({ question: text.value ?? '' }); close() }}>Chat instead</button></span></div>
  return null
}

function Thanks({ t }: { t: Sent }) {
  const c = chat.value
  const done = () => { sent.value = null; form.value = null; if (!c || over(c)) forget() }
  return (
    <div class="panel__form" role="status"><h2>Ticket {t.number} is open</h2>
      {t.update_due_at ? <p>A Customer Champion answers by <strong>{day(t.update_due_at)}</strong>, and at least once every business day from then on.</p>
        : <p>You hear from us at least once every business day.</p>}
      <p><a href={`/tickets/${t.number}`} {...(embedded ? { target: '_blank', rel: 'noopener' } : {})}>Follow ticket {t.number}</a></p>
      <p><button class="button" type="button" onClick={done}>Done</button></p></div>
  )
}
