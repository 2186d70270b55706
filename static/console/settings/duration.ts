const units: [number, string][] = [[86_400_000, 'day'], [3_600_000, 'hour'], [60_000, 'minute'], [1000, 'second'], [1, 'millisecond']]
const worth: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** Go's notation in words: 48h0m0s is “2 days”. Empty for what is no duration; the server says why. */
export function plain(v: unknown): string {
  const given = String(v ?? '').trim()
  if (!/^(\d+(\.\d+)?(ms|h|m|s))+$/.test(given)) return ''
  let left = 0
  for (const [, n, unit] of given.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)) left += Number(n) * worth[unit!]!
  if (left === 0) return 'at once'
  return units.flatMap(([ms, name]) => {
    const n = Math.floor(left / ms)
    left -= n * ms
    return n ? [`${n} ${name}${n === 1 ? '' : 's'}`] : []
  }).join(', ')
}
/** Go writes 48h0m0s; people write 48h. */
export function short(v: unknown): string { return String(v ?? '').replace(/(?<=[hm])0s$/, '').replace(/(?<=h)0m$/, '') }
