import { uuid } from '../lib/uuid'
import { useState } from 'preact/hooks'
import { call, Problem } from '../lib/api'
import { day } from '../lib/time'
import { me, staff, support } from './store'

export interface Escalation { id: string; state: 'open' | 'accepted' | 'declined' | 'done'; reason: string; priority: string; contact: string; asked_by: string; created_at: string; due_at: string | null; answer: string | null; manager: string | null; why: string }
const words = { open: 'waits for a manager', accepted: 'is looked after', declined: 'was declined', done: 'is done' }

/** What the customer asked a manager for, and, for managers, what to do about it. */
export function Escalations({ list, changed, onError }: { list: Escalation[]; changed(): void; onError(s: string): void }) {
  return <>{list.map(e => <One key={e.id} e={e} changed={changed} onError={onError} />)}</>
}

function One({ e, changed, onError }: { e: Escalation; changed(): void; onError(s: string): void }) {
  const [reason, setReason] = useState('')
  const [answer, setAnswer] = useState('')
  const manager = me.value?.role === 'manager' || me.value?.role === 'admin'
  const active = e.state === 'open' || e.state === 'accepted'
  const decide = async (body: object) => {
    try {
      await call(`/escalations/${e.id}`, { method: 'PATCH', body: { reason, answer, ...body }, key: uuid() })
      setReason('')
      setAnswer('')
      changed()
    } catch (err) { onError((err as Problem).errors[0]?.detail ?? (err as Problem).message) }
  }
  return (
    <section class="notice" data-tone={active ? 'late' : undefined} aria-label="Escalation">
      <p><strong>{e.asked_by} asked for a manager</strong> on {day(e.created_at)}; it {words[e.state]}{e.manager && ` by ${e.manager}`}{active && e.due_at && `, decision due ${day(e.due_at)}`}.</p>
      <p>{e.reason}</p>
      <p>Severity claimed: {e.priority}{e.contact && <>. Reach: {e.contact}</>}</p>
      {e.why && <p>Reason, internal: {e.why}</p>}
      {e.answer && <p>Answer, for the customer: {e.answer}</p>}
      {manager && active && <div class="decide">
        <label class="field">Reason, for the team only<input class="input" value={reason} onInput={x => setReason(x.currentTarget.value)} /></label>
        <label class="field">Answer, for the customer<input class="input" value={answer} onInput={x => setAnswer(x.currentTarget.value)} /></label>
        <p class="filters">
          {e.state === 'open' && <button class="button" onClick={() => void decide({ action: 'accept' })}>I look after it</button>}
          <select class="input" aria-label="Reassign to" value="" onChange={x => void decide({ action: 'reassign', assignee: x.currentTarget.value })}><option value="">Reassign to…</option>{staff.value.map(m => <option value={m.id}>{m.name}</option>)}</select>
          <select class="input" aria-label="Change priority" value="" onChange={x => void decide({ action: 'raise', priority: x.currentTarget.value })}><option value="">Priority…</option>{support.value?.priorities.map(p => <option value={p.id}>{p.name}</option>)}</select>
          <button class="button" onClick={() => void decide({ action: 'decline' })}>Decline</button>
          <button class="button" data-kind="main" onClick={() => void decide({ action: 'finish' })}>It is dealt with</button>
        </p></div>}
    </section>
  )
}
