import { me, refusal, remember, start, support, ticket } from './store'

export function Start() {
  const p = me.value
  const wrong = (f: string) => refusal.value?.field(f)
  const product = support.value?.products.find(x => x.id === p.product || x.name === p.product)
  if (product && !product.served) {
    return <div class="panel__form"><h2>{product.name}</h2><p>{product.explanation}</p><p><a class="button" data-kind="main" href={product.url}>Go there</a></p>
      <p><button class="button" type="button" onClick={() => remember({ product: '' })}>I use another product</button></p></div>
  }
  return (
    <form class="panel__form" onSubmit={e => { e.preventDefault(); void start() }}>
      {refusal.value && refusal.value.errors.length === 0 && <p class="notice" data-tone="soon" role="alert">{refusal.value.message}</p>}
      {(support.value?.products.length ?? 0) > 1 && (
        <div class="field"><label for="product">Which product?</label>
          <select class="input" id="product" value={product?.id ?? support.value!.products[0]!.id} onChange={e => remember({ product: e.currentTarget.value })}>
            {support.value!.products.map(x => <option value={x.id}>{x.name}</option>)}
          </select></div>
      )}
      <Field id="name" label="Your name" auto="name" value={p.name} wrong={wrong('name')} set={v => remember({ name: v })} />
      <Field id="email" label="E-mail address" type="email" auto="email" value={p.email} wrong={wrong('email')} set={v => remember({ email: v })} />
      <div class="field"><label for="question">What is it about?</label>
        <textarea class="input" id="question" required value={p.question} aria-invalid={!!wrong('question')} onInput={e => remember({ question: e.currentTarget.value })} />
        {wrong('question') && <span class="wrong">{wrong('question')}</span>}</div>
      <div class="actions"><button class="button" data-kind="main" data-size="large">Chat now</button>
        <button class="button" data-kind="plain" type="button" onClick={() => ticket('Day and night.')}>Write a ticket</button></div>
    </form>
  )
}

interface FieldProps { id: string; label: string; value: string; wrong?: string | undefined; type?: 'text' | 'email'; auto?: string; set(v: string): void }
export function Field(f: FieldProps) {
  return (
    <div class="field"><label for={f.id}>{f.label}</label>
      <input class="input" id={f.id} {...(f.type === 'email' ? { type: 'email' as const } : { type: 'text' as const })} autocomplete={f.auto ?? 'on'} required value={f.value} aria-invalid={!!f.wrong} {...(f.wrong ? { 'aria-describedby': `${f.id}-wrong` } : {})} onInput={e => f.set(e.currentTarget.value)} />
      {f.wrong && <span class="wrong" id={`${f.id}-wrong`}>{f.wrong}</span>}</div>
  )
}
