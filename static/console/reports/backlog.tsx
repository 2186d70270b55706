import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import type { Report } from './types'

const levels = ['urgent', 'high', 'normal', 'low'] as const
const colours = { urgent: '--late', high: '--soon', normal: '--accent', low: '--faint' }

/** Open and pending tickets at the end of each day, by priority, stacked; the same numbers as a table for whoever does not see it. */
export function BacklogChart({ days }: { days: Report['backlog'] }) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let chart: uPlot | undefined
    let gone = false
    const draw = async () => {
      const { default: UPlot } = await import(/* a bundle of its own */ document.getElementById('app')!.dataset['chart']!) as { default: typeof uPlot }
      if (gone || !box.current) return
      const style = getComputedStyle(document.documentElement)
      const probe = document.createElement('canvas').getContext('2d')!
      const colour = (name: string) => { probe.fillStyle = '#888'; const i = document.createElement('i'); i.style.color = `var(${name})`; document.body.append(i); probe.fillStyle = getComputedStyle(i).color; i.remove(); return String(probe.fillStyle) }
      const above = levels.map((_, i) => days.map(d => levels.slice(i).reduce((n, l) => n + d[l], 0)))
      const axis = { stroke: colour('--faint'), grid: { stroke: colour('--rule'), width: 1 }, font: `12px ${style.getPropertyValue('--font')}` }
      chart = new UPlot({
        width: box.current.clientWidth, height: 240, cursor: { y: false }, legend: { show: false },
        scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, Math.max(max, 4) * 1.1] } },
        axes: [axis, { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000] }],
        series: [{}, ...levels.map(l => ({ label: l, stroke: colour(colours[l]), fill: `color-mix(in srgb, ${colour(colours[l])} 40%, ${colour('--surface')})`, width: 1.5, points: { show: false } }))],
      }, [days.map(d => Date.parse(`${d.day}T12:00:00Z`) / 1000), ...above], box.current)
    }
    void draw()
    const size = new ResizeObserver(() => { if (box.current) chart?.setSize({ width: box.current.clientWidth, height: 240 }) })
    if (box.current) size.observe(box.current)
    return () => { gone = true; size.disconnect(); chart?.destroy() }
  }, [days])
  const last = days.at(-1)
  return (
    <>
      <p class="legend">{levels.map(l => <span key={l}><i data-is={l} />{l}{last && <strong> {last[l]}</strong>}</span>)}</p>
      <div ref={box} class="chart" role="img" aria-label={`Open and pending tickets each day; on the last day ${last ? levels.map(l => `${last[l]} ${l}`).join(', ') : 'none'}`} />
      <details><summary>As a table</summary><div class="scrolls" tabIndex={0} role="region" aria-label="Backlog as a table"><table class="table"><thead><tr><th>Day</th>{levels.map(l => <th key={l}>{l}</th>)}</tr></thead><tbody>{[...days].reverse().map(d => <tr key={d.day}><td>{d.day}</td>{levels.map(l => <td key={l}>{d[l]}</td>)}</tr>)}</tbody></table></div></details>
    </>
  )
}
