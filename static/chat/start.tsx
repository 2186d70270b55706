import { gate, shut, words as state } from './gate'
import { form, me, product, refusal, remember, start, support } from './store'

export function Start() {
  const p = me.value
  const wrong = (f: string) => refusal.value?.field(f)
  const meant = product()
  if (meant && !meant.served) {
    return <div class="panel__form"><h2>{meant.name}</h2><p>{meant.explanation}</p><p><a class="button" data-kind="main" href={meant.url} target="_top">Go there</a></p>
      <p><button class="button" type="button" onClick={() => remember({ product: support.value?.products.find(x => x.served)?.id ?? '' })}>I use another product</button></p></div>
  }
  const others = refusal.value?.errors.filter(e => !['name', 'email', 'question'].includes(e.field)).map(e => e.detail) ?? []
  const closed = shut(gate.value)
  return (
    <form class="panel__form" onSubmit={e => { e.preventDefault(); void start() }}>
      <Gate />
      {refusal.value && (refusal.value.errors.length === 0 || others.length > 0) && <p class="notice" data-tone="soon" role="alert">{others.join(' ') || refusal.value.message}</p>}
      {(support.value?.products.length ?? 0) > 1 && (
        <div class="field"><label for="product">Which product?</label>
          <select class="input" id="product" value={meant!.id} onChange={e => remember({ product: e.currentTarget.value })}>
            {support.value!.products.map(x => <option value={x.id}>{x.name}</option>)}
          </select></div>
      )}
      <Field id="name" label="Your name" auto="name" value={p.name} wrong={wrong('name')} set={v => remember({ name: v })} />
      <Field id="email" label="E-mail address" type="email" auto="email" value={p.email} wrong={wrong('email')} set={v => remember({ email: v })} />
      <div class="field"><label for="question">What is it about?</label>
        <textarea class="input" id="question" required value={p.question} aria-invalid={!!wrong('question')} {...(wrong('question') ? { 'aria-describedby': 'question-wrong' } : {})} onInput={e => remember({ question: e.currentTarget.value })} />
        {wrong('question') && <span class="wrong" id="question-wrong">{wrong('question')}</span>}</div>
      <div class="actions">
        {closed && <button class="button" data-kind="main" data-size="large" type="button" onClick={() => { form.value = { why: '' } }}>Write a ticket</button>}
        <button class="button" data-kind={closed ? 'plain' : 'main'} data-size="large">Chat now</button>
        {!closed && <button class="button" data-kind="plain" type="button" onClick={() => { form.value = { why: '' } }}>Write a ticket</button>}
      </div>
    </form>
  )
}

/** Whether somebody is there, before anything is typed; it changes by itself. */
function Gate() {
  const a = gate.value
  if (!a) return null
  const w = state(a)
  return <div class="place" data-shut={shut(a) || undefined} role="status"><strong>{w.title}</strong><span>{w.detail}</span></div>
}

interface FieldProps { id: string; label: string; value: string; wrong?: string | undefined; type?: 'text' | 'email'; auto?: string; set(v: string): void }
export function Field(f: FieldProps) {
  return (
    <div class="field"><label for={f.id}>{f.label}</label>
      <input class="input" id={f.id} {...(f.type === 'email' ? { type: 'email' as const } : { type: 'text' as const })} autocomplete={f.auto ?? 'on'} required value={f.value} aria-invalid={!!f.wrong} {...(f.wrong ? { 'aria-describedby': `${f.id}-wrong` } : {})} onInput={e => f.set(e.currentTarget.value)} />
      {f.wrong && <span class="wrong" id={`${f.id}-wrong`}>{f.wrong}</span>}</div>
  )
}
