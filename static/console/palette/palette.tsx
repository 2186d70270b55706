import { signal } from '@preact/signals'
import { go } from 'fuzzysort'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { far, near, search, type Item } from './commands'

export const open = signal(false)

/** Ctrl/⌘ K: any command, chat, ticket or customer by a few letters. */
export function Palette() {
  const box = useRef<HTMLDialogElement>(null)
  const [q, setQ] = useState('')
  const [at, setAt] = useState(0)
  useLayoutEffect(() => {
    if (open.value) { setQ(''); setAt(0); far.value = []; box.current?.showModal() } else box.current?.close()
  }, [open.value])
  const list = open.value ? found(q) : []
  const pick = (i: Item | undefined) => { open.value = false; box.current?.close(); i?.run() }
  const keys = (e: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[e.key]
    if (move) setAt(n => Math.max(0, Math.min(n + move, list.length - 1)))
    else if (e.key === 'Enter') pick(list[Math.min(at, list.length - 1)])
    else return
    e.preventDefault()
  }
  return (
    <dialog ref={box} class="palette" aria-label="Find anything" onClose={() => { open.value = false }} onKeyDown={keys} onClick={e => { if (e.target === box.current) open.value = false }}>
      {open.value && <>
        <input class="input" role="combobox" aria-expanded="true" aria-controls="found" aria-activedescendant={list.length ? `found-${Math.min(at, list.length - 1)}` : undefined} aria-label="Find a command, chat, ticket or customer" placeholder="Find a command, chat, ticket or customer" autofocus value={q} onInput={e => { setQ(e.currentTarget.value); setAt(0); void search(e.currentTarget.value) }} />
        <ul id="found" role="listbox" aria-label="Found">{list.map((i, n) => (
          <li key={i.id} id={`found-${n}`} role="option" aria-selected={n === Math.min(at, list.length - 1)} onPointerMove={() => setAt(n)} onClick={() => pick(i)}><span class="quiet">{i.kind}</span><span>{i.name}{i.more && <span class="quiet"> {i.more}</span>}</span>{i.keys ? <kbd>{i.keys}</kbd> : <span />}</li>
        ))}</ul>
        {q && list.length === 0 && <p class="quiet" role="status">Nothing is called so.</p>}
      </>}
    </dialog>
  )
}

function found(q: string): Item[] {
  const all = near()
  const mine = q.trim() ? go(q.trim(), all, { keys: ['name', 'more'], limit: 20, threshold: 0.25 }).map(r => r.obj) : all.slice(0, 20)
  return [...mine, ...far.value]
}
