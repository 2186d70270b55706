import { signal } from '@preact/signals'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { list } from './keys'
import { current, drawer, end, me, open, staff, transfer } from './store'

export const dialog = signal<'keys' | 'transfer' | 'end' | null>(null)

export function Dialogs() {
  const box = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => { if (dialog.value) box.current?.showModal(); else box.current?.close() }, [dialog.value])
  return (
    <dialog ref={box} aria-label={dialog.value ?? 'Dialog'} onClose={() => { dialog.value = null }}>
      {dialog.value === 'keys' && <><h2>Keys</h2><dl>{list.map(([k, what]) => <><dt><kbd>{k}</kbd></dt><dd>{what}</dd></>)}</dl><form method="dialog"><button class="button">Close</button></form></>}
      {dialog.value === 'transfer' && <Transfer />}
      {dialog.value === 'end' && <End />}
    </dialog>
  )
}

function Transfer() {
  const [why, setWhy] = useState('')
  const others = staff.value.filter(m => m.id !== me.value?.id && m.state === 'online')
  return (
    <><h2>Transfer {current.value?.customer.name}</h2>
      {others.length === 0 ? <p class="quiet">Nobody else is on duty.</p> : <div class="field"><label for="why">A line for your colleague, as a note</label><input class="input" id="why" value={why} onInput={e => setWhy(e.currentTarget.value)} /></div>}
      <ul>{others.map(m => <li><button class="row" onClick={() => { transfer(open.value!, m.id, why); dialog.value = null }}><span class="dot" data-is="online" /><span>{m.name}</span><span>{m.active} of {m.capacity}</span></button></li>)}</ul>
      <form method="dialog"><button class="button">Cancel</button></form></>
  )
}

function End() {
  return (
    <><h2>End the chat with {current.value?.customer.name}?</h2><p class="quiet">The customer keeps the conversation. If something is left to do, make a ticket of it.</p>
      <p class="filters"><button class="button" data-kind="main" onClick={() => { end(open.value!); dialog.value = null }}>End chat</button>
        {!current.value?.ticket && <button class="button" onClick={() => { dialog.value = null; drawer.value = true }}>Make a ticket first</button>}
        <button class="button" data-kind="plain" onClick={() => { dialog.value = null }}>Cancel</button></p></>
  )
}
