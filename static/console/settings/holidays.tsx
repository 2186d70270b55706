import { useState } from 'preact/hooks'
import { Field, Group, Remove, Whole } from './field'
import { Calendar, Spanned } from './hours'
import { draft, edit, type Holiday } from './store'

export function Holidays() {
  const d = draft.value!
  return (
    <>
      <Import />
      <Group title="Days with other hours">
        <Whole path="holidays" />
        {d.holidays.length === 0 && <p class="quiet">None. On a holiday chat is closed, or has other hours; tickets come in all the same.</p>}
        {d.holidays.map((h, i) => (
          <div class="holiday" key={i}>
            <Field path={`holidays[${i}].date`} label="Date" type="date" value={h.date} set={v => edit(x => { x.holidays[i]!.date = v })} />
            <Field path={`holidays[${i}].name`} label="Name" value={h.name} set={v => edit(x => { x.holidays[i]!.name = v })} />
            <Spanned path={`holidays[${i}].hours`} name={`Hours on ${h.name || h.date || 'this day'}`} spans={h.hours} set={s => edit(x => { x.holidays[i]!.hours = s })} />
            <Remove what={h.name || h.date} act={() => edit(x => { x.holidays.splice(i, 1) })} />
          </div>
        ))}
        <p><button class="button" type="button" onClick={() => edit(x => { x.holidays.push({ date: '', name: '', hours: [] }) })}>Add a day</button></p>
      </Group>
      <Calendar />
    </>
  )
}

interface Line { what: 'new' | 'renamed' | 'not in the file'; day: Holiday; take: boolean }

/** Reads a calendar file, and asks about each difference before anything changes. */
function Import() {
  const [lines, setLines] = useState<Line[] | null>(null)
  const [failed, setFailed] = useState('')
  const read = async (file: File) => {
    setFailed('')
    const res = await fetch('/api/v1/settings/holidays', { method: 'POST', body: await file.text(), headers: { 'Content-Type': 'text/calendar' } }).catch(() => null)
    const doc = await res?.json().catch(() => null)
    if (!res?.ok) { setFailed(doc?.errors?.[0]?.detail ?? doc?.detail ?? 'The file could not be read.'); return }
    const theirs = doc.holidays as Holiday[]
    const mine = draft.value!.holidays
    setLines([
      ...theirs.filter(t => !mine.some(m => m.date === t.date)).map(day => ({ what: 'new' as const, day, take: true })),
      ...theirs.filter(t => mine.some(m => m.date === t.date && m.name !== t.name)).map(day => ({ what: 'renamed' as const, day, take: true })),
      ...mine.filter(m => !theirs.some(t => t.date === m.date)).map(day => ({ what: 'not in the file' as const, day, take: false })), // an empty file opens nothing by itself
    ])
  }
  const take = () => {
    edit(x => {
      for (const l of lines!.filter(o => o.take)) {
        if (l.what === 'new') x.holidays.push(l.day)
        else if (l.what === 'renamed') for (const h of x.holidays) { if (h.date === l.day.date) h.name = l.day.name }
        if (l.what === 'not in the file') x.holidays = x.holidays.filter(h => h.date !== l.day.date)
      }
      x.holidays.sort((a, b) => a.date.localeCompare(b.date))
    })
    setLines(null)
  }
  return (
    <Group title="From a calendar file">
      <div class="field"><label for="ics">iCalendar file (.ics)</label><input class="input" id="ics" type="file" accept=".ics,text/calendar" onChange={e => { const f = e.currentTarget.files?.[0]; if (f) void read(f); e.currentTarget.value = '' }} /></div>
      {failed && <p class="wrong" role="alert">{failed}</p>}
      {lines && (lines.length === 0 ? <p role="status">The file says what is here already.</p> : (
        <div class="notice"><p>Take over what you tick:</p>
          <ul>{lines.map((l, i) => <li key={l.day.date + l.what}><label><input type="checkbox" checked={l.take} onChange={() => setLines(lines.map((o, n) => n === i ? { ...o, take: !o.take } : o))} /> {l.day.date} {l.day.name} <span class="badge">{l.what === 'not in the file' ? 'remove: not in the file' : l.what}</span></label></li>)}</ul>
          <p class="filters"><button class="button" data-kind="main" type="button" onClick={take}>Take over</button><button class="button" data-kind="plain" type="button" onClick={() => setLines(null)}>Leave all as it is</button></p></div>
      ))}
    </Group>
  )
}
