import { took, type Report, type Spread } from './types'

export type Open = (of: string, title: string) => void
const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

/** When customers come: each hour of each day of the week is a button that opens its chats. */
export function Heat({ cells, open }: { cells: Report['heat']; open: Open }) {
  const most = Math.max(1, ...cells.map(c => c.n))
  const at = new Map(cells.map(c => [c.weekday * 24 + c.hour, c.n]))
  const hours = [...new Set(cells.map(c => c.hour))].sort((a, b) => a - b)
  const span = hours.length ? Array.from({ length: hours.at(-1)! - hours[0]! + 1 }, (_, i) => hours[0]! + i) : []
  if (!span.length) return <p class="quiet">No chat began in this period.</p>
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label="Chats by hour and weekday"><table class="heat"><thead><tr><td />{span.map(h => <th key={h} scope="col">{h}</th>)}</tr></thead>
      <tbody>{days.map((day, i) => <tr key={day}><th scope="row">{day.slice(0, 3)}</th>{span.map(h => {
        const n = at.get((i + 1) * 24 + h) ?? 0
        return <td key={h}>{n > 0 && <button style={{ '--share': `${Math.round(15 + 85 * n / most)}%` }} data-strong={String(n / most > 0.55)} aria-label={`${n} chats on ${day}s from ${h}:00`} onClick={() => open(`heat:${i + 1}:${h}`, `${day}, ${h}:00 to ${h + 1}:00`)}>{n}</button>}</td>
      })}</tr>)}</tbody></table></div>
  )
}

/** How long something took, as bars; each opens what it counts. */
export function Spreads({ of, s, what, open }: { of: 'wait' | 'reply'; s: Spread; what: string; open: Open }) {
  if (s.n === 0) return <p class="quiet">There is nothing to count in this period.</p>
  const most = Math.max(...s.buckets.map(b => b.n))
  const label = (i: number) => { const b = s.buckets[i]!; const before = s.buckets[i - 1]?.below; return b.below === 0 ? `${took(before ?? 0)} and more` : before ? `${took(before)} to ${took(b.below)}` : `under ${took(b.below)}` }
  return (
    <>
      <p>Half within <strong>{took(s.median)}</strong>, nine of ten within <strong>{took(s.p90)}</strong>, of {s.n}.</p>
      <ul class="bars">{s.buckets.map((b, i) => <li key={b.below}><span>{label(i)}</span><button style={{ '--share': `${b.n ? Math.max(2, Math.round(100 * b.n / most)) : 0}%` }} disabled={b.n === 0} aria-label={`${b.n} ${what}, ${label(i)}`} onClick={() => open(`${of}:${i}`, `${what}, ${label(i)}`)}><i /><span>{b.n}</span></button></li>)}</ul>
    </>
  )
}

/** What customers said when they were asked. */
export function Ratings({ r, open }: { r: Report['ratings']; open: Open }) {
  if (r.answered === 0) return <p class="quiet">{r.sent ? `${r.sent} were asked; nobody has answered yet.` : 'Nobody was asked in this period.'}</p>
  const most = Math.max(...r.by)
  return (
    <>
      <p><strong>{r.mean.toFixed(1)}</strong> of 5 on average. {r.answered} answered{r.sent >= r.answered && r.sent > 0 ? `, ${Math.round(100 * r.answered / r.sent)} % of ${r.sent} asked` : ''}.{r.answered < 20 && <span class="quiet"> So few say little.</span>}</p>
      <ul class="bars">{r.by.map((n, i) => ({ n, stars: i + 1 })).reverse().map(({ n, stars }) => <li key={stars}><span>{stars} of 5</span><button style={{ '--share': `${n ? Math.max(2, Math.round(100 * n / most)) : 0}%` }} disabled={n === 0} aria-label={`${n} gave ${stars} of 5`} onClick={() => open(`rating:${stars}`, `Rated ${stars} of 5`)}><i /><span>{n}</span></button></li>)}</ul>
      {r.comments.length > 0 && <ul class="said">{r.comments.slice(0, 8).map(c => <li key={c.ticket}><strong>{c.rating}</strong> “{c.comment}” <span class="quiet">ticket {c.ticket}</span></li>)}</ul>}
    </>
  )
}
