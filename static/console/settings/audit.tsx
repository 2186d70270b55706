import { useEffect, useState } from 'preact/hooks'
import { call, Problem } from '../../lib/api'
import { day } from '../../lib/time'
import { Group } from './field'

interface Line { id: number; at: string; by: string; action: string; subject: string; detail: Record<string, unknown> }

/** Who read which file, and who changed whose rights. */
export function Audit() {
  const [list, setList] = useState<Line[] | null>(null)
  const [more, setMore] = useState<string | undefined>()
  const [failed, setFailed] = useState('')
  const load = (cursor?: string) => call<{ audit: Line[]; next_cursor?: string }>(`/audit${cursor ? `?cursor=${cursor}` : ''}`)
    .then(r => { setFailed(''); setList(cursor ? [...(list ?? []), ...r.audit] : r.audit); setMore(r.next_cursor) }, (e: Problem) => setFailed(e.message))
  useEffect(() => { void load() }, [])
  return (
    <Group title="Who did what">
      {failed && <p class="notice" data-tone="late" role="alert">{failed} <button class="button" type="button" onClick={() => void load()}>Try again</button></p>}
      {!list && !failed && <p class="empty" role="status">Loading…</p>}
      {list?.length === 0 && <p class="quiet">Nothing yet. Reads of files and changes of accounts stand here; changes of settings have a history of their own.</p>}
      {list && list.length > 0 && <table class="table"><thead><tr><th>When</th><th>Who</th><th>What</th><th>Of what</th><th>Particulars</th></tr></thead>
        <tbody>{list.map(l => <tr key={l.id}><td>{day(l.at)}</td><td>{l.by}</td><td>{l.action}</td><td>{l.subject}</td><td class="quiet">{Object.entries(l.detail).map(([k, v]) => `${k}: ${String(v)}`).join(', ')}</td></tr>)}</tbody></table>}
      {more && <p><button class="button" type="button" onClick={() => void load(more)}>More</button></p>}
    </Group>
  )
}
