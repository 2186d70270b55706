import type { ComponentChildren } from 'preact'
import { fault } from './store'

interface Props { path: string; label: string; value: string; hint?: string; long?: boolean; type?: 'text' | 'date' | 'url' | 'number'; list?: string; set(v: string): void }
/** A labelled field that shows what the server says about its path. */
export function Field({ path, label, value, hint, long, type, list, set }: Props) {
  const id = `s-${path.replace(/[^a-z0-9]+/gi, '-')}`
  const bad = fault(path)
  const common = { id, class: 'input', value, 'aria-invalid': bad ? true : undefined, 'aria-describedby': bad ? `${id}-wrong` : undefined }
  return (
    <div class="field"><label for={id}>{label}</label>
      {long ? <textarea {...common} rows={3} onInput={e => set(e.currentTarget.value)} /> : <input {...common} type={type ?? 'text'} list={list} onInput={e => set(e.currentTarget.value)} />}
      {hint && <small>{hint}</small>}{bad && <span class="wrong" id={`${id}-wrong`} role="alert">{bad}</span>}</div>
  )
}
export function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return <section class="group"><h2>{title}</h2>{children}</section>
}
export function Remove({ what, act }: { what: string; act(): void }) {
  return <button class="button" data-kind="plain" type="button" aria-label={`Remove ${what}`} onClick={act}>Remove</button>
}
