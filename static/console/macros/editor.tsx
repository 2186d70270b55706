import { useEffect, useState } from 'preact/hooks'
import { call, Problem } from '../../lib/api'
import { uuid } from '../../lib/uuid'
import { say } from '../store'
import { fill, unfilled } from './fill'
import { failed, load, macros, variables, type Macro } from './store'

const example = { 'customer.name': 'Marguerite Oyelaran', 'customer.first_name': 'Marguerite', 'customer.email': 'marguerite@example.com', 'champion.name': 'Priya Raman', 'champion.first_name': 'Priya', 'ticket.number': '1043', 'product.name': 'CrashPlan for Small Business', 'product.version': '11.8.0', 'hours.opens': 'Monday, 8:00 AM', 'hours.closes': '5:00 PM' }
const none = { id: '', name: '', body: '', version: 0 }

/** The screen where managers write macros, and see them as a customer would. */
export function Macros() {
  const [m, setM] = useState<Pick<Macro, 'id' | 'name' | 'body' | 'version'>>(none)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [key, setKey] = useState(uuid())
  useEffect(() => { void load() }, [])
  const begin = (next: typeof m) => { setM(next); setProblem(null); setKey(uuid()) }
  const save = async () => {
    try {
      const body = { name: m.name, body: m.body }
      const r = m.id ? await call<{ macro: Macro }>(`/macros/${m.id}`, { method: 'PUT', body: { ...body, version: m.version } }) : await call<{ macro: Macro }>('/macros', { body, key })
      say(`“${r.macro.name}” is kept.`)
      begin(none)
      await load()
    } catch (e) {
      setProblem(e as Problem)
      if ((e as Problem).refused) setKey(uuid())
    }
  }
  const drop = async (one: Macro) => {
    try {
      await call(`/macros/${one.id}`, { method: 'DELETE' })
      begin({ ...one, id: '', version: 0 }) // undone by keeping it again
      say(`“${one.name}” is removed. Its text is still in the form; keep it again to undo.`)
      await load()
    } catch (e) { say((e as Problem).message) }
  }
  const stale = problem?.code === 'stale' ? problem.doc['macro'] as Macro : null
  const left = unfilled(fill(m.body, example))
  return (
    <main class="macros pane">
      <section aria-label="All macros"><h1>Macros</h1>
        {failed.value && !macros.value && <p class="notice" data-tone="late" role="alert">{failed.value} <button class="button" onClick={() => void load()}>Try again</button></p>}
        {macros.value?.length === 0 && <p class="quiet">Answers that are given often. Everybody finds them with <kbd>/</kbd> in an empty box.</p>}
        <ul>{macros.value?.map(x => <li key={x.id} aria-current={x.id === m.id || undefined}><button class="link" onClick={() => begin(x)}>{x.name}</button><span class="quiet">{x.by}</span><button class="button" data-kind="plain" aria-label={`Remove ${x.name}`} onClick={() => void drop(x)}>Remove</button></li>)}</ul>
      </section>
      <form aria-label={m.id ? 'Edit the macro' : 'A new macro'} onSubmit={e => { e.preventDefault(); void save() }}>
        <h2>{m.id ? 'Edit the macro' : 'A new macro'}</h2>
        {stale ? <p class="notice" data-tone="soon" role="alert">{problem!.message} <button class="button" type="button" onClick={() => begin(stale)}>Show how it is now</button> <button class="button" type="button" onClick={() => { setM({ ...m, version: stale.version }); setProblem(null) }}>Keep mine instead</button></p>
          : problem && problem.errors.length === 0 && <p class="notice" data-tone="late" role="alert">{problem.message}</p>}
        <div class="field"><label for="macro-name">Name</label><input class="input" id="macro-name" value={m.name} aria-invalid={!!problem?.field('name')} onInput={e => setM({ ...m, name: e.currentTarget.value })} />
          {problem?.field('name') && <span class="wrong" role="alert">{problem.field('name')}</span>}</div>
        <div class="field"><label for="macro-body">What is answered</label><textarea class="input" id="macro-body" value={m.body} aria-invalid={!!problem?.field('body')} onInput={e => setM({ ...m, body: e.currentTarget.value })} />
          {problem?.field('body') && <span class="wrong" role="alert">{problem.field('body')}</span>}</div>
        <p class="variables">{variables.value.map(v => <button class="button" type="button" onClick={() => setM({ ...m, body: `${m.body}{{${v}}}` })}>{v}</button>)}</p>
        <section class="notice" aria-label="As a customer reads it"><p class="quiet">As a customer reads it</p><p class="message__body">{fill(m.body, example) || '–'}</p>{left.length > 0 && <p class="wrong">No variable: {left.join(', ')}</p>}</section>
        <p class="filters"><button class="button" data-kind="main" disabled={!m.name.trim() || !m.body.trim()}>Keep</button>{(m.id || m.body) && <button class="button" type="button" onClick={() => begin(none)}>New macro</button>}</p>
      </form>
    </main>
  )
}
