import { day } from '../../lib/time'
import { plain, short } from './duration'
import { Field, Group, ListField } from './field'
import { draft, edit, preview } from './store'
import { text } from './text'

const said = (hint: string, v: unknown) => [plain(v), hint].filter(Boolean).join('. ').replace(/^./, c => c.toUpperCase())
const update = (v: unknown) => plain(v) === 'at once' ? 'The end of the next business day' : plain(v) && `${plain(v)} of business time`

export function Waits() {
  const p = draft.value!.policy
  return (
    <>
      <Group title="Waiting times">
        <p class="quiet">{text.duration}</p>
        <div class="two">{text.waits.map(([key, label, hint]) => <Field key={key} path={`policy.${key}`} label={label} hint={said(hint, p[key])} value={short(p[key])} set={v => edit(x => { x.policy[key] = v })} />)}</div>
        <fieldset><legend class="label">Days are counted</legend>{text.counting.map(([id, words]) => <label class="choice"><input type="radio" name="counting" checked={p.counting === id} onChange={() => edit(x => { x.policy.counting = id })} /><span>{words}</span></label>)}</fieldset>
      </Group>
      <Group title={text.updates}>
        <div class="two">{['urgent', 'high', 'normal', 'low'].map(l => <Field key={l} path={`policy.update_within.${l}`} label={l[0]!.toUpperCase() + l.slice(1)} hint={update(p.update_within[l])} value={short(p.update_within[l])} set={v => edit(x => { x.policy.update_within[l] = v })} />)}</div>
      </Group>
      <Group title="While Pending">
        <ListField path="policy.reminders" label="Remind the customer after" by="comma" values={p.reminders.map(short)} hint="Several, separated by commas, such as 24h, 72h. Empty: never." set={v => edit(x => { x.policy.reminders = v })} />
        <label><input type="checkbox" checked={p.survey_silent} onChange={() => edit(x => { x.policy.survey_silent = !x.policy.survey_silent })} /> Send the survey also when no answer came</label>
      </Group>
      <Moves />
    </>
  )
}

function Moves() {
  const p = preview.value
  if (!p) return null
  return (
    <Group title="What it would do">
      <p role="status">{text.moves(p.moves_count)}</p>
      {p.moves.length > 0 && <table class="table"><thead><tr><th>Ticket</th><th>What</th><th>Promised</th><th>Would be</th></tr></thead>
        <tbody>{p.moves.map(m => <tr key={`${m.number}${m.what}`}><td>{m.number} · {m.subject}</td><td>{text.what[m.what]}</td><td>{m.from ? day(m.from) : '–'}</td><td>{m.to ? day(m.to) : '–'}</td></tr>)}</tbody></table>}
    </Group>
  )
}
