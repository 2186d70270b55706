import { useEffect, useState } from 'preact/hooks'
import { call, Problem } from '../../lib/api'
import { shortDay } from '../../lib/time'
import { screen, show, ticket } from '../store'
import { took, type Row } from './types'

/** What a figure counts. */
export function Rows({ of, title, period, back }: { of: string; title: string; period: URLSearchParams; back(): void }) {
  const [rows, setRows] = useState<Row[] | null>(null)
  const [more, setMore] = useState<string | undefined>()
  const [failed, setFailed] = useState('')
  const load = (cursor?: string) => call<{ rows: Row[]; next_cursor?: string }>(`/reports/rows?${period}&of=${encodeURIComponent(of)}${cursor ? `&cursor=${cursor}` : ''}`)
    .then(r => { setFailed(''); setRows(cursor ? [...(rows ?? []), ...r.rows] : r.rows); setMore(r.next_cursor) }, (e: Problem) => setFailed(e.message))
  useEffect(() => { void load() }, [of])
  const open = (r: Row) => {
    if (r.chat) { show(r.chat); screen.value = 'chats' } else { ticket.value = r.ticket!; screen.value = 'tickets' }
  }
  return (
    <main class="pane">
      <div class="filters"><button class="button" onClick={back}>Back to the report</button><h1>{title}</h1><a class="button" href={`/api/v1/reports/rows.csv?${period}&of=${encodeURIComponent(of)}`}>As CSV</a></div>
      {failed && <p class="notice" data-tone="late" role="alert">{failed} <button class="button" onClick={() => void load()}>Try again</button></p>}
      {!rows && !failed && <p class="empty" role="status">Loading…</p>}
      {rows?.length === 0 && <p class="empty">Nothing is counted here.</p>}
      {rows && rows.length > 0 && <table class="table"><thead><tr><th>When</th><th>What</th><th>Who</th><th>Took</th><th>State</th><th>Champion</th></tr></thead>
        <tbody>{rows.map(r => <tr key={`${r.chat}${r.ticket}`}><td>{shortDay(r.at)}</td><td><button class="link" onClick={() => open(r)}>{r.ticket ? `${r.ticket} · ` : ''}{r.text}</button></td><td>{r.name}</td><td>{r.took === null ? '–' : took(r.took)}</td><td><span class="badge" data-is={r.state}>{r.state}</span></td><td>{r.champion || '–'}</td></tr>)}</tbody></table>}
      {more && <p class="filters"><button class="button" onClick={() => void load(more)}>More</button></p>}
    </main>
  )
}
