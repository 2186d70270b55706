import { useEffect } from 'preact/hooks'
import { Audit } from './audit'
import { History } from './history'
import { Holidays } from './holidays'
import { Hours } from './hours'
import { Lists, Priorities, Products } from './lists'
import { Outbox } from './outbox'
import { Meanwhile } from './meanwhile'
import { changed, discard, draft, failed, load, place, said, save, section, wrong, type Section } from './store'
import { text } from './text'
import { Team } from './team'
import { Waits } from './waits'

const forms = { hours: Hours, holidays: Holidays, waits: Waits, products: Products, priorities: Priorities, lists: Lists } as const

export function Settings() {
  useEffect(() => { void load() }, [])
  const s = section.value
  const Form = s in forms ? forms[s as keyof typeof forms] : null
  return (
    <main class="settings pane">
      <nav aria-label="Settings">{(Object.keys(text.sections) as Section[]).map(id => <button class="button" data-kind="plain" type="button" aria-current={s === id ? 'page' : undefined} onClick={() => { section.value = id }}>{text.sections[id]}<Faults of={id} /></button>)}</nav>
      <div class="settings__main">
        <h1>{text.sections[s]}</h1>
        {s === 'team' ? <Team /> : s === 'audit' ? <Audit /> : s === 'history' ? <History /> : s === 'outbox' ? <Outbox /> : !draft.value ? <p class="empty" role="status">{failed.value || 'Loading…'}</p> : (
          <form onSubmit={e => { e.preventDefault(); void save() }}>
            <Meanwhile />
            {Form && <Form />}
            <div class="saving" data-on={changed.value || said.value || failed.value ? true : undefined}>
              <p role="status">{failed.value ? <span class="wrong">{failed.value}</span> : changed.value ? text.unsaved : said.value}</p>
              <button class="button" type="button" data-kind="plain" disabled={!changed.value} onClick={discard}>Discard</button>
              <button class="button" data-kind="main" disabled={!changed.value}>Save</button>
            </div>
          </form>
        )}
      </div>
    </main>
  )
}

/** How many fields of a section are not right. */
function Faults({ of }: { of: Section }) {
  const n = wrong.value.filter(w => place(w.field) === of).length
  return n ? <span class="badge" data-is="urgent">{n}<span class="unseen"> not right</span></span> : null
}
