import { signal } from '@preact/signals'
import { useLayoutEffect, useState } from 'preact/hooks'
import { call, Problem } from '../lib/api'
import { day } from '../lib/time'
import { chats, current, drawer, logs, screen, support, ticket } from './store'

interface Made { ticket: { number: number; update_due_at: string } }

interface Form { subject: string; priority: string; os: string; os_version: string; app_version: string; devices: string; accounts: string; destination: string }
/** What was filled in and not yet sent, for each chat: closing the drawer loses nothing. */
const begun = signal<Record<string, Form>>({})

/** What the browser and the customer said already. */
function guess(ua: string): [string, string] {
  const win = /Windows NT ([\d.]+)/.exec(ua)
  if (win) return ['Windows', win[1] === '10.0' ? '10 or 11' : win[1]!]
  const mac = /Mac OS X ([\d_]+)/.exec(ua)
  if (mac) return ['macOS', mac[1]!.replace(/_/g, '.')]
  return [/Linux/.test(ua) ? 'Linux' : '', '']
}

export function ConvertDrawer() {
  const c = current.value!
  const said = (logs.value[c.id] ?? []).filter(m => m.from.kind === 'customer').map(m => m.body).join('\n')
  const found = [...new Set(said.match(/\b\d{15,20}\b/g) ?? [])]
  const [os, osVersion] = guess(c.user_agent ?? '')
  const f: Form = begun.value[c.id] ?? { subject: c.question.split('\n')[0]!.slice(0, 80), priority: 'normal', os, os_version: osVersion, app_version: /\b\d+\.\d+\.\d+\b/.exec(said)?.[0] ?? '', devices: found.join('\n'), accounts: c.customer.email, destination: '' }
  const [problem, setProblem] = useState<Problem | null>(null)
  const [made, setMade] = useState<Made['ticket'] | null>(null)
  const [busy, setBusy] = useState(false)
  const set = (p: Partial<Form>) => { begun.value = { ...begun.value, [c.id]: { ...f, ...p } } }
  useLayoutEffect(() => { // the keyboard goes into the drawer, and back to where it was
    const before = document.activeElement as HTMLElement | null
    const first = document.getElementById('c-subject') as HTMLInputElement | null
    first?.focus()
    first?.setSelectionRange(0, 0) // its beginning is what one reads
    return () => before?.focus()
  }, [])
  const lines = (s: string) => s.split(/[\n,]/).map(x => x.trim()).filter(Boolean)
  const submit = async () => {
    if (busy) return
    setBusy(true)
    setProblem(null)
    try {
      const r = await call<Made>(`/chats/${c.id}/ticket`, { body: { subject: f.subject, priority: f.priority, diagnostics: { product: c.product, os: f.os, os_version: f.os_version, app_version: f.app_version, devices: lines(f.devices), accounts: lines(f.accounts), destinations: f.destination ? [f.destination] : [] } } })
      setMade(r.ticket)
      const known = chats.value[c.id]
      if (known) chats.value = { ...chats.value, [c.id]: { ...known, ticket: r.ticket.number } }
    } catch (e) { setProblem(e as Problem) }
    setBusy(false)
  }
  const current_ = support.value?.products.find(p => p.name === c.product)?.version
  const text = (id: 'subject' | 'os' | 'os_version' | 'app_version', label: string) => (
    <div class="field"><label for={`c-${id}`}>{label}</label><input class="input" id={`c-${id}`} value={f[id]} onInput={e => set({ [id]: e.currentTarget.value })} />
      {problem?.field(id) && <span class="wrong">{problem.field(id)}</span>}</div>
  )
  return (
    <aside class="pane drawer" aria-label="Ticket from this chat">
      <div class="drawer__head"><h2>Ticket from this chat</h2><button class="button" data-kind="plain" onClick={() => { drawer.value = false }}>Close <kbd>Esc</kbd></button></div>
      {made || c.ticket ? <div class="notice" role="status"><p><strong>This chat is ticket {made?.number ?? c.ticket}.</strong> {made && `Next update due ${day(made.update_due_at)}.`} The chat goes on.</p><p><button class="button" onClick={() => { ticket.value = made?.number ?? c.ticket; screen.value = 'tickets' }}>Open the ticket</button></p></div> : (
        <form onSubmit={e => { e.preventDefault(); void submit() }} onKeyDown={e => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) void submit() }}>
          {problem && <p class="notice" data-tone="late" role="alert">{problem.errors[0]?.detail ?? problem.message}</p>}
          {text('subject', 'Subject')}
          <fieldset><legend class="label">Priority</legend>{support.value?.priorities.map(p => (
            <label class="choice"><input type="radio" name="c-priority" checked={f.priority === p.id} onChange={() => set({ priority: p.id })} /><span>{p.question}</span><span class="badge" data-is={p.id}>{p.name}</span><small>{p.definition}</small></label>
          ))}</fieldset>
          <div class="field"><label for="c-devices">Computers (GUID), one on a line</label><textarea class="input" id="c-devices" value={f.devices} onInput={e => set({ devices: e.currentTarget.value })} /></div>
          <div class="two">{text('os', 'System')}{text('os_version', 'Its version')}{text('app_version', 'App version')}
            <div class="field"><label for="c-dest">Destination</label><select class="input" id="c-dest" value={f.destination} onChange={e => set({ destination: e.currentTarget.value })}><option value="">–</option>{support.value?.destinations.map(d => <option>{d}</option>)}</select></div></div>
          {f.app_version && current_ && f.app_version !== current_ && <p class="quiet">{current_} is the current version.</p>}
          <div class="field"><label for="c-accounts">Affected accounts</label><textarea class="input" id="c-accounts" value={f.accounts} onInput={e => set({ accounts: e.currentTarget.value })} /></div>
          <p class="notice">The conversation goes along as the first comment. Notes stay internal.</p>
          <button class="button" data-kind="main" disabled={busy}>Make ticket <kbd>Ctrl Enter</kbd></button>
        </form>
      )}
    </aside>
  )
}
