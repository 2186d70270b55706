import { meanwhile } from './store'
import { text } from './text'

/** What somebody else has saved while this was written. */
export function Meanwhile() {
  const m = meanwhile.value
  if (!m) return null
  return (
    <section class="notice" data-tone="soon" role="status"><p>{text.stale}</p>
      <ul>{m.map(d => <li key={d.path}><code>{d.path}</code>: {d.from} → {d.to}{d.clash && <strong> {text.clash}</strong>}</li>)}</ul>
      <p><button class="button" type="button" onClick={() => { meanwhile.value = null }}>{text.seen}</button></p></section>
  )
}
