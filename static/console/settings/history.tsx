import { useEffect, useState } from 'preact/hooks'
import { call, Problem } from '../../lib/api'
import { day } from '../../lib/time'
import { differences, type Difference } from './diff'
import { Group } from './field'
import type { Doc } from './store'

interface Entry { version: number; at: string; by: string; settings: Doc }

/** Who changed what, when: each version against the one before. */
export function History() {
  const [list, setList] = useState<Entry[] | null>(null)
  const [failed, setFailed] = useState('')
  useEffect(() => { call<{ history: Entry[] }>('/settings/history').then(r => setList(r.history), (e: Problem) => setFailed(e.message)) }, [])
  if (failed) return <p class="notice" data-tone="late" role="alert">{failed}</p>
  if (!list) return <p class="empty" role="status">Loading…</p>
  return (
    <Group title="Who changed what">
      <ol class="changes">{list.map((e, i) => (
        <li key={e.version}><p><strong>{day(e.at)}</strong>, {e.by || 'the program'}, version {e.version}</p>
          <ul>{list[i + 1] ? <Changes of={differences(list[i + 1]!.settings, e.settings)} /> : <li class="quiet">{e.version === 1 ? 'As the product came.' : 'The oldest that is shown.'}</li>}</ul></li>
      ))}</ol>
    </Group>
  )
}

function Changes({ of }: { of: Difference[] }) {
  if (of.length === 0) return <li class="quiet">Saved without a change.</li>
  return <>{of.map(d => <li key={d.path}><code>{d.path}</code>: {d.from} → {d.to}</li>)}</>
}
