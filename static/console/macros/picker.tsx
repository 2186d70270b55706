import { go } from 'fuzzysort'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { me, screen } from '../store'
import { fill, unfilled, type Values } from './fill'
import { failed, macros, picking, type Macro } from './store'

/** Finds a macro by a few letters, shows it filled in, and puts it into the box. */
export function Picker({ box, values, onPick }: { box: string; values: Values; onPick(text: string): void }) {
  const [q, setQ] = useState('')
  const [at, setAt] = useState(0)
  const input = useRef<HTMLInputElement>(null)
  const open = picking.value === box
  useLayoutEffect(() => { if (open) { setQ(''); setAt(0); input.current?.focus() } }, [open])
  if (!open) return null
  const list = found(q)
  const one = list[Math.min(at, list.length - 1)]
  const take = (m: Macro | undefined) => { picking.value = ''; if (m) onPick(fill(m.body, values)) }
  const keys = (e: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[e.key]
    if (move) setAt(Math.max(0, Math.min(at + move, list.length - 1)))
    else if (e.key === 'Enter') take(one)
    else if (e.key === 'Escape') { picking.value = ''; onPick('') }
    else return
    e.preventDefault()
    e.stopPropagation()
  }
  return (
    <div class="picker" role="dialog" aria-label="Macros" onKeyDown={keys}>
      <input ref={input} class="input" role="combobox" aria-expanded="true" aria-controls="macros" aria-activedescendant={one ? `macro-${one.id}` : undefined} aria-label="Find a macro" placeholder="Find a macro" value={q} onInput={e => { setQ(e.currentTarget.value); setAt(0) }} />
      {failed.value && !macros.value && <p class="wrong" role="alert">{failed.value}</p>}
      <ul id="macros" role="listbox" aria-label="Macros">{list.map((m, i) => (
        <li key={m.id} id={`macro-${m.id}`} role="option" aria-selected={m === one} onPointerMove={() => setAt(i)} onClick={() => take(m)}><strong>{m.name}</strong><span class="quiet">{m.body.slice(0, 80)}</span></li>
      ))}</ul>
      {macros.value?.length === 0 && <p class="quiet">There are no macros yet. Managers write them{manager() ? ': ' : '.'}{manager() && <button class="link" type="button" onClick={() => { picking.value = ''; screen.value = 'macros' }}>write the first one</button>}</p>}
      {macros.value && macros.value.length > 0 && list.length === 0 && <p class="quiet">No macro is called so.</p>}
      {one && <div class="picker__preview" aria-live="polite"><p>{fill(one.body, values)}</p>{unfilled(fill(one.body, values)).length > 0 && <p class="wrong">To fill in by hand: {unfilled(fill(one.body, values)).join(', ')}</p>}</div>}
      <p class="quiet"><kbd>↑</kbd> <kbd>↓</kbd> choose · <kbd>Enter</kbd> puts it into the box · <kbd>Esc</kbd> closes{manager() && macros.value?.length ? <> · <button class="link" type="button" onClick={() => { picking.value = ''; screen.value = 'macros' }}>Edit macros</button></> : null}</p>
    </div>
  )
}

export const manager = () => me.value?.role === 'manager' || me.value?.role === 'admin'

function found(q: string): Macro[] {
  const all = macros.value ?? []
  return q.trim() ? go(q.trim(), all, { keys: ['name', 'body'], limit: 50, threshold: 0.2 }).map(r => r.obj) : all.slice(0, 50)
}
