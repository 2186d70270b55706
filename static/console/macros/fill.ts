/** What the variables of a macro stand for at this moment; one that is left out cannot be filled in. */
export type Values = Partial<Record<string, string>>

const variable = /\{\{\s*([a-z_]+\.[a-z_]+)\s*\}\}/g

/** Fills in what is known. What is not known stays, for whoever sends it to see. */
export function fill(body: string, values: Values): string {
  return body.replace(variable, (whole, name: string) => values[name] || whole)
}

/** The variables that stand in a text, once each. */
export function unfilled(text: string): string[] {
  return [...new Set([...text.matchAll(variable)].map(m => m[1]!))]
}
