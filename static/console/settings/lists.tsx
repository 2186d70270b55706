import { Field, Group, ListField, Remove, Whole } from './field'
import { draft, edit } from './store'

export function Products() {
  return (
    <><Whole path="products" />{draft.value!.products.map((p, i) => (
      <Group key={i} title={p.name || 'New product'}>
        <div class="two">
          <Field path={`products[${i}].name`} label="Name" value={p.name} set={v => edit(x => { x.products[i]!.name = v })} />
          <Field path={`products[${i}].id`} label="Short name, for programs" value={p.id} set={v => edit(x => { x.products[i]!.id = v })} />
          <Field path={`products[${i}].version`} label="Current version" value={p.version} hint="Older ones are told kindly." set={v => edit(x => { x.products[i]!.version = v })} />
          <ListField path={`products[${i}].aliases`} label="Other names, separated by commas" by="comma" values={p.aliases} set={v => edit(x => { x.products[i]!.aliases = v })} />
        </div>
        <label><input type="checkbox" checked={p.served} onChange={() => edit(x => { x.products[i]!.served = !p.served })} /> Served here</label>
        {!p.served && <div class="two"><Field path={`products[${i}].url`} label="Its users are sent to" type="url" value={p.url} set={v => edit(x => { x.products[i]!.url = v })} />
          <Field path={`products[${i}].explanation`} label="and told" long value={p.explanation} set={v => edit(x => { x.products[i]!.explanation = v })} /></div>}
        <p><Remove what={p.name} act={() => edit(x => { x.products.splice(i, 1) })} /></p>
      </Group>
    ))}<p><button class="button" type="button" onClick={() => edit(x => { x.products.push({ id: '', name: '', served: true, version: '', url: '', explanation: '', aliases: [] }) })}>Add a product</button></p></>
  )
}

export function Priorities() {
  return (
    <><Whole path="priorities" />{draft.value!.priorities.map((p, i) => (
      <Group key={p.id} title={p.name}>
        <div class="two">
          <Field path={`priorities[${i}].name`} label="Name" value={p.name} set={v => edit(x => { x.priorities[i]!.name = v })} />
          <Field path={`priorities[${i}].question`} label="Which is true for you?" value={p.question} set={v => edit(x => { x.priorities[i]!.question = v })} />
          <Field path={`priorities[${i}].definition`} label="Definition" long value={p.definition} set={v => edit(x => { x.priorities[i]!.definition = v })} />
          <ListField path={`priorities[${i}].scenarios`} label="Scenarios, one on a line; any one suffices" by="line" values={p.scenarios} set={v => edit(x => { x.priorities[i]!.scenarios = v })} />
        </div>
      </Group>
    ))}</>
  )
}

export function Lists() {
  const d = draft.value!
  const limits: [string, string][] = [['receipts_per_day', 'Receipts a day to an address that nobody has proved'], ['links_per_hour', 'Links to sign in an hour, to one address'], ['mails_per_day', 'Mails a day to one address']]
  return (
    <>
      <Group title="This support"><div class="two">
        <Field path="name" label="What support is for" value={d.name} set={v => edit(x => { x.name = v })} />
        <Field path="links.policy" label="Support policy" type="url" value={d.links.policy} set={v => edit(x => { x.links.policy = v })} />
        <Field path="links.versions" label="Supported versions" type="url" value={d.links.versions} set={v => edit(x => { x.links.versions = v })} />
        <Field path="device_pattern" label="What a computer’s ID looks like (regular expression)" value={d.device_pattern} set={v => edit(x => { x.device_pattern = v })} /></div></Group>
      <Group title="Backup destinations"><ListField path="destinations" label="One on a line" by="line" values={d.destinations} set={v => edit(x => { x.destinations = v })} /></Group>
      <Group title="Limits"><div class="two">
        {limits.map(([key, label]) => <Field key={key} path={`limits.${key}`} label={label} type="number" hint="0 is no limit." value={String(d.limits[key])} set={v => edit(x => { x.limits[key] = Math.trunc(Number(v)) || 0 })} />)}
        <Field path="policy.queue_limit" label="Chats that may wait at once" type="number" value={String(d.policy.queue_limit)} set={v => edit(x => { x.policy.queue_limit = Math.trunc(Number(v)) || 0 })} /></div></Group>
    </>
  )
}
