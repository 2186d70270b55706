import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { fault } from './store'

interface Props { path: string; label: string; value: string; hint?: string; long?: boolean; type?: 'text' | 'date' | 'url' | 'number'; list?: string; within?: boolean; set(v: string): void }
/** A labelled field that shows what the server says about its path. */
export function Field({ path, label, value, hint, long, type, list, within, set }: Props) {
  const id = `s-${path.replace(/[^a-z0-9]+/gi, '-')}`
  const bad = fault(path, within)
  const common = { id, class: 'input', value, 'aria-invalid': bad ? true : undefined, 'aria-describedby': [hint && `${id}-hint`, bad && `${id}-wrong`].filter(Boolean).join(' ') || undefined }
  return (
    <div class="field"><label for={id}>{label}</label>
      {long ? <textarea {...common} rows={3} onInput={e => set(e.currentTarget.value)} /> : <input {...common} type={type ?? 'text'} list={list} onInput={e => set(e.currentTarget.value)} />}
      {hint && <small id={`${id}-hint`}>{hint}</small>}{bad && <span class="wrong" id={`${id}-wrong`} role="alert">{bad}</span>}</div>
  )
}
interface ListProps { path: string; label: string; hint?: string; values: string[]; by: 'line' | 'comma'; set(v: string[]): void }
/** Several texts in one field. What is typed stays as it is typed, also a separator that nothing follows yet. */
export function ListField({ path, label, hint, values, by, set }: ListProps) {
  const [typed, setTyped] = useState('')
  const parts = (s: string) => s.split(by === 'line' ? '\n' : ',').map(x => x.trim()).filter(Boolean)
  const value = JSON.stringify(parts(typed)) === JSON.stringify(values) ? typed : values.join(by === 'line' ? '\n' : ', ')
  return <Field path={path} label={label} {...(hint ? { hint } : {})} long={by === 'line'} within value={value} set={v => { setTyped(v); set(parts(v)) }} />
}
/** What the server says about a list as a whole. */
export function Whole({ path }: { path: string }) {
  const bad = fault(path)
  return bad ? <p class="wrong" role="alert" tabIndex={-1}>{bad}</p> : null
}
export function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return <section class="group"><h2>{title}</h2>{children}</section>
}
export function Remove({ what, act }: { what: string; act(): void }) {
  return <button class="button" data-kind="plain" type="button" aria-label={`Remove ${what}`} onClick={act}>Remove</button>
}
