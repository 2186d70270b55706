import { useEffect, useState } from 'preact/hooks'
import { call, Problem } from '../../lib/api'
import { day } from '../../lib/time'
import { uuid } from '../../lib/uuid'
import { me, say } from '../store'
import { Group } from './field'

interface Mate { id: string; name: string; email: string; role: string; capacity: number; created_at: string; disabled_at: string | null; seen_at: string | null; invited: boolean }
const roles: [string, string, string][] = [['champion', 'Champion', 'Answers chats and tickets'], ['manager', 'Manager', 'Also decides escalations and writes macros'], ['admin', 'Administrator', 'Also changes settings and the team']]
const nobody = { name: '', email: '', role: 'champion' }

/** Who answers customers, with what rights, and how many chats at once. */
export function Team() {
  const [list, setList] = useState<Mate[] | null>(null)
  const [failed, setFailed] = useState('')
  const [f, setF] = useState(nobody)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [key, setKey] = useState(uuid())
  const load = () => call<{ team: Mate[] }>('/team').then(r => { setList(r.team); setFailed('') }, (e: Problem) => setFailed(e.message))
  useEffect(() => { void load() }, [])
  const invite = async () => {
    setProblem(null)
    try {
      const r = await call<{ member: Mate }>('/team', { body: f, key })
      say(`${r.member.name} gets a mail with a link to choose a password.`)
      setF(nobody)
    } catch (e) { setProblem(e as Problem) }
    setKey(uuid())
    await load()
  }
  const change = async (m: Mate, more: object, done: string) => {
    try {
      await call(`/team/${m.id}`, { method: 'PATCH', body: more })
      say(done)
    } catch (e) { say((e as Problem).errors[0]?.detail ?? (e as Problem).message) }
    await load()
  }
  const again = (m: Mate) => call(`/team/${m.id}/invite`, { method: 'POST', body: {}, key: uuid() }).then(() => say(`Another link is on its way to ${m.email}.`), (e: Problem) => say(e.message))
  return (
    <>
      <Group title="Add somebody">
        <form class="two" onSubmit={e => { e.preventDefault(); void invite() }}>
          {problem && problem.errors.length === 0 && <p class="notice" data-tone="late" role="alert">{problem.message}</p>}
          <Field id="mate-name" label="Name" value={f.name} wrong={problem?.field('name')} set={name => setF({ ...f, name })} />
          <Field id="mate-email" label="E-mail address" value={f.email} wrong={problem?.field('email')} set={email => setF({ ...f, email })} />
          <div class="field"><label for="mate-role">Role</label><select class="input" id="mate-role" value={f.role} onChange={e => setF({ ...f, role: e.currentTarget.value })}>{roles.map(([id, name, what]) => <option value={id}>{name}: {what.toLowerCase()}</option>)}</select></div>
          <div class="field"><span class="label">&nbsp;</span><button class="button" data-kind="main" disabled={!f.name.trim() || !f.email.trim()}>Send an invitation</button></div>
        </form>
      </Group>
      <Group title="The team">
        {failed && <p class="notice" data-tone="late" role="alert">{failed} <button class="button" type="button" onClick={() => void load()}>Try again</button></p>}
        {!list && !failed && <p class="empty" role="status">Loading…</p>}
        {list && <div class="scrolls" tabIndex={0} role="region" aria-label="The team"><table class="table team"><thead><tr><th>Who</th><th>Role</th><th>Chats at once</th><th>Was here</th><th><span class="unseen">What to do</span></th></tr></thead>
          <tbody>{list.map(m => (
            <tr key={m.id} data-off={m.disabled_at ? true : undefined}><td><strong>{m.name}</strong>{m.id === me.value?.id && ' (you)'}<br /><span class="quiet">{m.email}</span></td>
              <td><select class="input" aria-label={`Role of ${m.name}`} disabled={!!m.disabled_at} value={m.role} onChange={e => void change(m, { role: e.currentTarget.value }, `${m.name} is now ${roles.find(r => r[0] === e.currentTarget.value)![1].toLowerCase()}.`)}>{roles.map(([id, name]) => <option value={id}>{name}</option>)}</select></td>
              <td><input class="input" type="number" min="1" max="50" aria-label={`Chats at once of ${m.name}`} disabled={!!m.disabled_at} value={m.capacity} onChange={e => void change(m, { capacity: Number(e.currentTarget.value) }, `${m.name} has up to ${e.currentTarget.value} chats at once.`)} /></td>
              <td>{m.disabled_at ? `Disabled ${day(m.disabled_at)}` : m.seen_at ? day(m.seen_at) : m.invited ? 'Invited, not here yet' : '–'}</td>
              <td>{m.disabled_at ? <button class="button" type="button" onClick={() => void change(m, { disabled: false }, `${m.name} may sign in again.`)}>Enable</button> : <>
                {m.invited && <button class="button" type="button" onClick={() => void again(m)}>Mail again</button>}
                {m.id !== me.value?.id && <button class="button" data-kind="plain" type="button" onClick={() => void change(m, { disabled: true }, `${m.name} is signed out everywhere and may not sign in.`)}>Disable</button>}</>}</td></tr>
          ))}</tbody></table></div>}
      </Group>
    </>
  )
}

function Field(p: { id: string; label: string; value: string; wrong: string | undefined; set(v: string): void }) {
  return <div class="field"><label for={p.id}>{p.label}</label><input class="input" id={p.id} value={p.value} aria-invalid={!!p.wrong} onInput={e => p.set(e.currentTarget.value)} />{p.wrong && <span class="wrong" role="alert">{p.wrong}</span>}</div>
}
