import { useEffect, useState } from 'preact/hooks'
import { call, Problem } from '../../lib/api'
import { screen, support } from '../store'
import { BacklogChart } from './backlog'
import { Heat, Ratings, Spreads } from './figures'
import { Rows } from './rows'
import type { Report } from './types'

const day = (d: Date) => d.toISOString().slice(0, 10)
const ago = (n: number) => day(new Date(Date.now() - n * 86_400_000))
const periods: [string, number][] = [['7 days', 6], ['30 days', 29], ['90 days', 89], ['A year', 364]]
const here = Intl.DateTimeFormat().resolvedOptions().timeZone

/** What happened, to be looked at: every figure opens what it counts. */
export function Reports() {
  const [from, setFrom] = useState(ago(29))
  const [to, setTo] = useState(day(new Date()))
  const [zone, setZone] = useState('')
  const [r, setR] = useState<Report | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [of, setOf] = useState<{ of: string; title: string } | null>(null)
  const period = new URLSearchParams({ from, to, ...(zone ? { zone } : {}) })
  useEffect(() => {
    let here = true
    setProblem(null)
    call<{ report: Report }>(`/reports?${period}`).then(x => { if (here) setR(x.report) }, (e: Problem) => { if (here) setProblem(e) })
    return () => { here = false }
  }, [from, to, zone])
  const open = (of: string, title: string) => setOf({ of, title })
  if (of) return <Rows of={of.of} title={of.title} period={period} back={() => setOf(null)} />
  const c = r?.chats
  return (
    <main class="reports pane" aria-busy={!r}>
      <div class="filters"><h1>Reports</h1>
        {periods.map(([name, n]) => <button class="button" key={name} aria-pressed={from === ago(n) && to === day(new Date())} onClick={() => { setFrom(ago(n)); setTo(day(new Date())) }}>{name}</button>)}
        <label>from <input class="input" type="date" value={from} max={to} onChange={e => { if (e.currentTarget.value) setFrom(e.currentTarget.value) }} /></label>
        <label>to <input class="input" type="date" value={to} min={from} onChange={e => { if (e.currentTarget.value) setTo(e.currentTarget.value) }} /></label>
        <label>in <select class="input" value={zone} onChange={e => setZone(e.currentTarget.value)}><option value="">{support.value?.timezone ?? 'the company’s zone'}</option>{here !== support.value?.timezone && <option value={here}>{here} (yours)</option>}<option value="UTC">UTC</option></select></label>
        <a class="button" href={`/api/v1/reports/rows.csv?${period}&of=all`}>Chats as CSV</a><a class="button" href={`/api/v1/reports/rows.csv?${period}&of=tickets`}>Tickets as CSV</a>
        <button class="button" data-kind="plain" onClick={() => { screen.value = 'board' }}>Live board</button></div>
      {problem && <p class="notice" data-tone="late" role="alert">{problem.errors[0]?.detail ?? problem.message}</p>}
      {!r && !problem && <p class="empty" role="status">Counting…</p>}
      {r && c && <>
        <div class="figures">
          <Figure n={c.all} what={c.all === 1 ? 'chat began' : 'chats began'} run={() => open('all', 'Chats that began')} />
          <Figure n={c.taken} what="were taken" run={() => open('taken', 'Chats that were taken')} />
          <Figure n={c.missed} what="were missed" late={c.missed > 0} run={() => open('missed', 'Missed chats')} />
          <Figure n={c.converted} what="became tickets" run={() => open('converted', 'Chats that became tickets')} />
        </div>
        <section><h2>When customers come <span class="quiet">{r.zone}</span></h2><Heat cells={r.heat} open={open} /></section>
        <section><h2>Waiting for a champion</h2><Spreads of="wait" s={r.waits} what="Chats" open={open} /></section>
        <section><h2>Until the first answer to a ticket</h2><Spreads of="reply" s={r.replies} what="Tickets" open={open} /></section>
        <section class="wide"><h2>Open and pending at the end of each day</h2><BacklogChart days={r.backlog} /></section>
        <section><h2>How customers rate us</h2><Ratings r={r.ratings} open={open} /></section>
        <section><h2>Who did what</h2>{r.champions.length === 0 ? <p class="quiet">Nobody did anything in this period.</p> : <div class="scrolls"><table class="table"><thead><tr><th>Champion</th><th>Chats</th><th>Answers to tickets</th><th>Solved</th></tr></thead>
          <tbody>{r.champions.map(p => <tr key={p.id}><td>{p.name}</td><td><button class="link" onClick={() => open(`champion:${p.id}`, `Chats of ${p.name}`)}>{p.chats}</button></td><td>{p.answers}</td><td>{p.solved}</td></tr>)}</tbody></table></div>}</section>
      </>}
    </main>
  )
}

function Figure({ n, what, late, run }: { n: number; what: string; late?: boolean; run(): void }) {
  return <button class="figure" data-late={String(!!late)} onClick={run}><strong>{n}</strong><span>{what}</span></button>
}
