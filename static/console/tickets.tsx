import { useEffect, useState } from 'preact/hooks'
import { call, Problem } from '../lib/api'
import { day, longSpan, shortDay } from '../lib/time'
import { ticketKeys } from './keys'
import { news, slowTick, say, ticket } from './store'
import { TicketPage } from './ticket'

export interface Ticket { number: number; status: string; priority: string; subject: string; requester: { name: string; email: string }; assignee: { id: string; name: string } | null; version: number; update_due_at: string | null; solves_at: string | null; closes_at: string | null; created_at: string; follow_up_of: number | null }
const views: [string, string][] = [['active', 'Active'], ['mine', 'Mine'], ['unassigned', 'Unassigned'], ['due_today', 'Due today'], ['pending', 'Pending'], ['escalated', 'Escalated'], ['', 'All']]

export function Tickets() {
  const [view, setView] = useState('active')
  const [counts, setCounts] = useState<Record<string, number>>({})
  const [q, setQ] = useState('')
  const [list, setList] = useState<Ticket[] | null>(null)
  const [more, setMore] = useState<string | undefined>()
  const [failed, setFailed] = useState('')
  const count = () => call<Record<string, number>>('/tickets/counts').then(setCounts, () => undefined) // without them the views still work
  const load = (cursor?: string) => {
    const p = new URLSearchParams({ view, q, limit: String(cursor ? 50 : Math.min(Math.max(list?.length ?? 0, 50), 100)), ...(cursor ? { cursor } : {}) })
    if (!cursor) void count()
    return call<{ tickets: Ticket[]; next_cursor?: string }>(`/tickets?${p}`).then(r => { setFailed(''); setList(cursor ? [...(list ?? []), ...r.tickets] : r.tickets); setMore(r.next_cursor) }, (e: Problem) => setFailed(e.message))
  }
  useEffect(() => { const t = setTimeout(() => void load(), q ? 250 : 0); return () => clearTimeout(t) }, [view, q])
  const [at, setAt] = useState(0)
  useEffect(() => { if (list && list.length <= 100 && ticket.value === null) void load() }, [news.value]) // what changes elsewhere changes here
  const shown = ticket.value !== null
  useEffect(() => {
    if (shown) return
    const last = (list?.length ?? 0) - 1
    const go = (by: number) => setAt(n => Math.max(Math.min(n + by, last), 0))
    const keys = { j: () => go(1), k: () => go(-1), enter: () => { const t = list?.[Math.min(at, last)]; if (t) ticket.value = t.number }, '/': () => document.getElementById('q')?.focus() }
    Object.assign(ticketKeys, keys)
    document.querySelector('[data-at="true"]')?.scrollIntoView({ block: 'nearest' })
    return () => { for (const k of Object.keys(keys)) delete ticketKeys[k] }
  }, [shown, list, at])
  if (ticket.value !== null) return <TicketPage number={ticket.value} back={() => { ticket.value = null; void load() }} onError={say} />
  return (
    <main class="pane">
      <h1 class="unseen">Tickets</h1>
      <div class="filters" role="toolbar" aria-label="Views">{views.map(([id, name]) => <button class="button" aria-pressed={view === id} onClick={() => setView(id)}>{name}{counts[id] ? <span class="quiet">{counts[id]}</span> : null}</button>)}
        <label class="unseen" for="q">Search</label><input class="input" id="q" type="search" placeholder="Search words, people, computers, numbers" value={q} onInput={e => setQ(e.currentTarget.value)} /></div>
      {failed && <p class="notice" data-tone="late" role="alert">{failed} <button class="button" onClick={() => void load()}>Try again</button></p>}
      {list && list.length === 0 && !failed && <p class="empty">No ticket is in this view.</p>}
      {list && list.length > 0 && (
        <table class="table"><thead><tr><th>Next update</th><th>Priority</th><th>Ticket</th><th>Requester</th><th>Status</th><th>Assignee</th></tr></thead>
          <tbody>{list.map((t, i) => <tr key={t.number} data-at={String(i === at)}><td><Promise t={t} /></td><td><span class="badge" data-is={t.priority}>{t.priority}</span></td>
            <td><a href={`#tickets/${t.number}`} onClick={e => { e.preventDefault(); ticket.value = t.number }}>{t.number} · {t.subject}</a></td><td>{t.requester.name}</td><td><span class="badge" data-is={t.status}>{t.status}</span></td><td>{t.assignee?.name ?? '–'}</td></tr>)}</tbody></table>
      )}
      {more && <p class="filters"><button class="button" onClick={() => void load(more)}>More</button></p>}
    </main>
  )
}

/** What happens next, and when. */
export function Promise({ t }: { t: Ticket }) {
  if (t.update_due_at) {
    const left = Date.parse(t.update_due_at) - slowTick.value
    if (left < 0) return <strong class="wrong" title={day(t.update_due_at)}>Late by {longSpan(-left)}</strong>
    return <span title={day(t.update_due_at)}>{left < 86_400_000 ? `in ${longSpan(left)}` : shortDay(t.update_due_at)}</span>
  }
  if (t.solves_at) return <span class="quiet">Solves {shortDay(t.solves_at)} unless answered</span>
  if (t.closes_at) return <span class="quiet">Closes {shortDay(t.closes_at)} unless answered</span>
  return <span class="quiet">–</span>
}
