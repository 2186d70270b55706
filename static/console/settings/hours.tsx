import { Field, Group, Remove } from './field'
import { draft, edit, fault, preview, type Spans } from './store'
import { text } from './text'

const zones = Intl.supportedValuesOf('timeZone')

export function Hours() {
  const d = draft.value!
  return (
    <>
      <Group title="Time zone">
        <Field path="timezone" label="All hours are in" value={d.timezone} list="zones" hint="Type to search, such as Chicago." set={v => edit(x => { x.timezone = v })} />
        <datalist id="zones">{zones.map(z => <option value={z} />)}</datalist>
      </Group>
      <Group title="Chat hours">
        {Object.keys(text.days).map(day => <Spanned key={day} path={`hours.${day}`} name={text.days[day]!} spans={d.hours[day] ?? []} set={s => edit(x => { x.hours[day] = s })} />)}
      </Group>
      <Calendar />
    </>
  )
}

/** The intervals of a day; none is closed. */
export function Spanned({ path, name, spans, set }: { path: string; name: string; spans: Spans; set(s: Spans): void }) {
  const bad = fault(path, true)
  const is = (i: number, j: 0 | 1) => {
    const one = `${path}[${i}]`
    return fault(path) || fault(one) || fault(`${one}[${j}]`) ? { 'aria-invalid': true, 'aria-describedby': `${path}-wrong` } as const : {}
  }
  const at = (i: number, j: 0 | 1, v: string) => set(spans.map((s, n) => n === i ? (j ? [s[0], v] : [v, s[1]]) as [string, string] : s))
  return (
    <fieldset class="spans"><legend>{name}</legend>
      {spans.length === 0 && <span class="quiet">Closed</span>}
      {spans.map((s, i) => <span class="spans__one"><input class="input" aria-label={`${name}, from`} {...is(i, 0)} value={s[0]} placeholder="08:00" onInput={e => at(i, 0, e.currentTarget.value)} /> to <input class="input" aria-label={`${name}, until`} {...is(i, 1)} value={s[1]} placeholder="17:00" onInput={e => at(i, 1, e.currentTarget.value)} /><Remove what={`${s[0]} to ${s[1]} on ${name}`} act={() => set(spans.filter((_, n) => n !== i))} /></span>)}
      <button class="button" type="button" aria-label={`Add hours on ${name}`} onClick={() => set([...spans, spans.length ? ['18:00', '20:00'] : ['08:00', '17:00']])}>Add hours</button>
      {bad && <span class="wrong" id={`${path}-wrong`} role="alert">{bad}</span>}
    </fieldset>
  )
}

/** Two weeks as they would be. */
export function Calendar() {
  const p = preview.value
  if (!p) return null
  const part = (t: string) => { const [h, m] = t.split(':').map(Number); return (h! * 60 + m!) / 1440 }
  // An interval that runs over midnight is drawn on both days.
  const bars = (i: number): [number, number][] => [
    ...(p.days[i - 1]?.open ?? []).filter(([from, to]) => part(to) <= part(from)).map(([, to]) => [0, part(to)] as [number, number]),
    ...p.days[i]!.open.map(([from, to]) => [part(from), part(to) <= part(from) ? 1 : part(to)] as [number, number]),
  ]
  return (
    <Group title={`This week and the next, in ${p.timezone}`}>
      <ol class="fortnight">{p.days.map((d, i) => (
        <li key={d.date} data-today={d.today || undefined} data-open={d.open.length > 0 || undefined}>
          <strong>{d.weekday.slice(0, 3)} {Number(d.date.slice(8))}</strong>
          <svg viewBox="0 0 10 24" preserveAspectRatio="none" aria-hidden="true">{bars(i).map(([from, to]) => <rect x="0" width="10" y={from * 24} height={Math.max(0.3, (to - from) * 24)} />)}</svg>
          <span>{d.open.length ? d.open.map(o => o.join('–')).join(', ') : 'Closed'}</span>{d.holiday && <em>{d.holiday}</em>}
        </li>))}</ol>
    </Group>
  )
}
