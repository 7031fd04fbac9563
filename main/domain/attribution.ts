// attribution.txt: where the texts of a leaf come from. Reading never fails: odd lines become warnings, because the file is for
// people; writing gives InstructLab's form.

import type { QnaProblem } from '../contract/taxonomy.ts'

/** One source of a leaf. */
export interface Attribution {
  title: string
  link: string
  revision: string
  /** SPDX expression. */
  license: string
  creators: string
}

const labels: readonly { field: keyof Attribution; label: string; pattern: RegExp; isRequired: boolean }[] = [
  { field: 'title', label: 'Title of work', pattern: /^title of (?:the )?work\s*:/i, isRequired: true },
  { field: 'link', label: 'Link to work', pattern: /^link to (?:the )?work\s*:/i, isRequired: true },
  { field: 'revision', label: 'Revision', pattern: /^revision\s*:/i, isRequired: false },
  { field: 'license', label: 'License of the work', pattern: /^licen[sc]e of (?:the )?work\s*:/i, isRequired: true },
  { field: 'creators', label: 'Creator names', pattern: /^creators? names?\s*:/i, isRequired: true },
]
const spdx = /^[A-Za-z0-9][A-Za-z0-9.+-]*(?: (?:AND|OR|WITH) [A-Za-z0-9][A-Za-z0-9.+-]*)*$/

/** Sources in order, and what is missing or odd; a new title begins a new source. */
export function parseAttribution(text: string): { sources: Attribution[]; problems: QnaProblem[] } {
  const sources: (Attribution & { line: number })[] = []
  const problems: QnaProblem[] = []
  let open: keyof Attribution | null = null
  text.split(/\r\n|\r|\n/).forEach((raw, at) => {
    const line = raw.replace(/^\ufeff/, '').trim()
    const known = labels.find(({ pattern }) => pattern.test(line))
    const source = sources.at(-1)
    if (line === '') open = null
    else if (known) {
      const current = known.field === 'title' || !source ? begin(sources, at + 1) : source
      current[known.field] = line.replace(known.pattern, '').trim()
      open = known.field
    } else if (open && source) source[open] = `${source[open]} ${line}`.trim()
    else {
      const message = `"${line.slice(0, 60)}" is not one of the five known lines.`
      problems.push(warning(at + 1, { message, remedy: knownLines }))
    }
  })
  for (const source of sources) problems.push(...checkSource(source))
  return { sources: sources.map(withoutLine), problems }
}

/** InstructLab's form, sources apart by an empty line; an empty text for no sources. */
export function writeAttribution(sources: readonly Attribution[]): string {
  const blocks = sources.map((source) =>
    labels
      .filter(({ field, isRequired }) => isRequired || source[field])
      .map(({ field, label }) => `${label}: ${source[field] || '-'}\n`)
      .join(''),
  )
  return blocks.join('\n')
}

function withoutLine({ title, link, revision, license, creators }: Attribution): Attribution {
  return { title, link, revision, license, creators }
}

const knownLines = `Begin the line with ${labels.map(({ label }) => `"${label}:"`).join(', ')}.`

function begin(sources: (Attribution & { line: number })[], line: number): Attribution {
  const source = { title: '', link: '', revision: '', license: '', creators: '', line }
  sources.push(source)
  return source
}

function checkSource(source: Attribution & { line: number }): QnaProblem[] {
  const missing = labels
    .filter(({ field, isRequired }) => isRequired && !source[field])
    .map(({ label }) =>
      warning(source.line, { label, message: `"${label}" is missing.`, remedy: `Add a line "${label}: ...".` }),
    )
  if (!source.license || spdx.test(source.license)) return missing
  const guess = source.license.trim().replace(/\s+/g, '-')
  const message = `"${source.license}" is not an SPDX licence name.`
  const remedy = `Write its SPDX name, for example "${guess}".`
  return [...missing, warning(source.line, { label: 'License of the work', message, remedy })]
}

function warning(line: number, of: { label?: string; message: string; remedy: string }): QnaProblem {
  const field = of.label ? `attribution.txt: ${of.label}` : 'attribution.txt'
  return { severity: 'warning', line, column: 1, field, message: of.message, remedy: of.remedy }
}
