import { uuid } from '../lib/uuid'
import { signal } from '@preact/signals'
import { call, Problem } from '../lib/api'
import { day } from '../lib/time'
import { Field } from './start'
import { chat, convert, form, forget, me, remember, support, write } from './store'

interface Sent { number: number; update_due_at: string }
const sent = signal<Sent | null>(null)
const problem = signal<Problem | null>(null)
const priority = signal('normal')
const key = uuid() // double click, retry and back make one ticket

async function submit(): Promise<void> {
  problem.value = null
  const f = form.value!
  const product = support.value?.products.find(p => p.id === me.value.product && p.served)?.name ?? ''
  try {
    const made = chat.value?.state === 'ended' && !chat.value.ticket
      ? await convert<{ ticket: Sent }>({ subject: f.subject, priority: priority.value, diagnostics: { product, description: f.description } })
      : await call<{ ticket: Sent }>('/tickets', { key, body: { name: me.value.name, email: me.value.email, subject: f.subject, description: f.description, priority: priority.value, diagnostics: { product }, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone } })
    sent.value = made.ticket
    remember({ question: '' })
    write('')
  } catch (e) { problem.value = e as Problem }
}

/** The form with every diagnostic field, with what was typed in it; an address has its limits. */
function whole(): string {
  const f = form.value!
  return `/tickets/new?${new URLSearchParams({ name: me.value.name, email: me.value.email, subject: f.subject, description: f.description.slice(0, 3000), priority: priority.value })}`
}

export function TicketForm() {
  const f = form.value!
  const wrong = (name: string) => problem.value?.field(name)
  const set = (p: Partial<typeof f>) => { form.value = { ...f, ...p } }
  if (sent.value) {
    return <div class="panel__form" role="status"><h2>Ticket {sent.value.number} is open</h2><p>A Customer Champion answers by <strong>{day(sent.value.update_due_at)}</strong>, and at least once every business day from then on.</p>
      <p><button class="button" type="button" onClick={() => { sent.value = null; forget() }}>Done</button></p></div>
  }
  return (
    <form class="panel__form" onSubmit={e => { e.preventDefault(); void submit() }}>
      <p class="notice" data-tone="soon" role="status">{f.why} Your words are kept below.</p>
      {problem.value && problem.value.errors.length === 0 && <p class="notice" data-tone="late" role="alert">{problem.value.message}</p>}
      <Field id="name" label="Your name" auto="name" value={me.value.name} wrong={wrong('name')} set={v => remember({ name: v })} />
      <Field id="email" label="E-mail address" type="email" auto="email" value={me.value.email} wrong={wrong('email')} set={v => remember({ email: v })} />
      <Field id="subject" label="What is it about?" value={f.subject} wrong={wrong('subject')} set={v => set({ subject: v })} />
      <div class="field"><label for="description">What happened?</label><textarea class="input" id="description" required value={f.description} onInput={e => set({ description: e.currentTarget.value })} />
        {wrong('description') && <span class="wrong">{wrong('description')}</span>}</div>
      <fieldset><legend class="label">Which is true for you?</legend>
        {support.value?.priorities.map(p => (
          <label class="choice"><input type="radio" name="priority" checked={priority.value === p.id} onChange={() => { priority.value = p.id }} /><span>{p.question}</span><span class="badge" data-is={p.id}>{p.name}</span></label>
        ))}
      </fieldset>
      <div class="actions"><button class="button" data-kind="main" data-size="large">Send ticket</button><a class="button" data-kind="plain" href={whole()} target="_blank">The whole form</a></div>
    </form>
  )
}
