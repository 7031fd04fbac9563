import { describe, expect, it } from 'vitest'
import { pdfToMarkdown } from '../../../main/domain/pdf-markdown.ts'
import type { PdfPage, PdfRun } from '../../../main/domain/pdf-rows.ts'

/** Runs of lines one below the other, a letter half as wide as it is high. */
function lines([x, y]: [x: number, y: number], texts: readonly string[], style: Partial<PdfRun> = {}): PdfRun[] {
  const size = style.size ?? 10
  return texts.map((text, at) => ({
    text,
    x,
    y: y + at * 1.2 * size,
    width: text.length * size * 0.5,
    size,
    font: 'body',
    ...style,
  }))
}
const page = (...runs: PdfRun[][]): PdfPage => ({ width: 600, height: 800, runs: runs.flat() })
const read = (...pages: PdfPage[]) => pdfToMarkdown(pages)
const words = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `word${from + at}`).join(' ')
const body = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `${words(12, from + at * 12)}`)

describe('furniture', () => {
  it('goes where it repeats, with page numbers of any offset and roman ones', () => {
    const roman = ['i', 'ii', 'iii', 'iv']
    const pages = roman.map((number, at) =>
      page(
        lines([60, 40], ['A running title'], { size: 8 }),
        lines([60, 120], body(6, at * 100)),
        lines([300, 770], [`${at + 17}`], { size: 8 }),
        lines([60, 782], [`Preface ${number}`], { size: 8 }),
      ),
    )
    const { text } = read(...pages)
    expect(text).not.toMatch(/running|Preface|\b1[78]\b/)
    expect(text.match(/word0 /g)).toHaveLength(1)
  })
  it('stays where it only looks alike: headings, counted sentences, rows of a list', () => {
    const pages = [1, 2, 3, 4].map((number) =>
      page(
        lines([60, 60], [`Part ${number}`], { size: 18 }),
        lines([60, 90], [`Fact ${number * 7} of the moor is that it is wet.`, ...body(5, number * 100)]),
        lines([60, 760], [`Row ${number * 3} of the list`]),
      ),
    )
    const { text } = read(...pages)
    for (const number of [1, 2, 3, 4]) {
      expect(text).toContain(`# Part ${number}`)
      expect(text).toContain(`Fact ${number * 7} of`)
      expect(text).toContain(`Row ${number * 3} of`)
    }
  })
  it('stays on a single page, but for a bare number that is its own', () => {
    const { text } = read(
      page(lines([60, 40], ['Letterhead of the house']), lines([60, 120], body(3)), lines([300, 780], ['- 1 -'])),
    )
    expect(text).toContain('Letterhead')
    expect(text).not.toContain('- 1 -')
  })
})

describe('words', () => {
  it('are whole again where a line cut them, and keep a hyphen that is theirs', () => {
    const { text } = read(
      page(
        lines(
          [60, 100],
          [
            'The well-known bird is a well-',
            'known singer, and its inter-',
            'national fame is inter-',
            'esting for the inter-',
            'ested.',
          ],
        ),
      ),
    )
    expect(text).toBe(
      'The well-known bird is a well-known singer, and its international fame is interesting for the interested.\n',
    )
  })
  it('have no space between where a script has none', () => {
    const { text } = read(page(lines([60, 100], ['日本の首都は', '東京です。'])))
    expect(text).toBe('日本の首都は東京です。\n')
  })
  it('that were printed twice to look bold are read once', () => {
    const run = lines([60, 100], ['Bold by overprinting, once.'])
    const { text } = read(
      page(
        run,
        run.map((one) => ({ ...one, x: one.x + 0.4 })),
      ),
    )
    expect(text).toBe('Bold by overprinting, once.\n')
  })
})

describe('structure', () => {
  it('takes larger print for headings by size, and short lines in a rare font for lower ones', () => {
    const { text } = read(
      page(
        lines([60, 60], ['The moor'], { size: 24 }),
        lines([60, 100], ['Animals'], { size: 16 }),
        lines([60, 130], body(8)),
        lines([60, 240], ['The wren'], { font: 'bold' }),
        lines([60, 260], body(8, 200)),
        lines([60, 370], ['Figure 1: a wren in a hedge'], { font: 'bold' }),
      ),
    )
    expect(text).toContain('# The moor\n\n## Animals\n\nword0')
    expect(text).toContain('\n\n### The wren\n\nword200')
    expect(text).toMatch(/\nFigure 1: a wren in a hedge\n/)
  })
  it('parts paragraphs at gaps, at indents, and after short last lines', () => {
    const { text } = read(
      page(
        lines([60, 100], [words(10), `${words(9, 20)} ends.`]),
        lines([60, 140], [words(10, 40), `${words(3, 60)} ends.`, words(10, 80), `${words(9, 90)} ends.`]),
        lines([75, 188], [words(9, 120)]),
        lines([60, 200], [`${words(5, 140)} ends.`]),
      ),
    )
    expect(
      text
        .trim()
        .split('\n\n')
        .map((part) => part.split(' ')[0]),
    ).toEqual(['word0', 'word40', 'word80', 'word120'])
  })
  it('keeps lists, with lines that go on', () => {
    const { text } = read(
      page(
        lines([60, 100], ['• first thing that is', '', '• second thing'].filter(Boolean)).slice(0, 1),
        lines([70, 112], ['long']),
        lines([60, 124], ['• second thing', '2) numbered']),
      ),
    )
    expect(text).toBe('- first thing that is long\n- second thing\n2. numbered\n')
  })
  it('does not let a paragraph begin with what Markdown takes for a mark', () => {
    expect(read(page(lines([60, 100], ['# 5 is the number of the bus that goes there.']))).text).toMatch(/^\\# 5/)
  })
})

describe('tables', () => {
  const grid = (rows: string[][], y: number) =>
    rows.flatMap((row, at) =>
      row.flatMap((cell, column) => (cell === '' ? [] : lines([60 + column * 140, y + at * 14], [cell]))),
    )
  it('are found where columns align, cells of several lines joined', () => {
    const rows = [
      ['Name', 'Home', 'Food'],
      ['wren', 'hedges', 'insects'],
      ['', '', 'and spiders'],
      ['heron', 'rivers', 'fish'],
    ]
    const { text } = read(
      page(
        lines([60, 60], [words(14)]),
        grid(rows, 120).map((run) => ({ ...run, y: 120 + (run.y - 120) * 0.9 })),
      ),
    )
    expect(text).toContain(
      '| Name | Home | Food |\n| --- | --- | --- |\n| wren | hedges | insects and spiders |\n| heron | rivers | fish |',
    )
  })
  it('are not seen in prose or in two columns of it', () => {
    const left = lines(
      [60, 100],
      Array.from({ length: 10 }, (_, at) => `left ${at} ${words(5)}`),
    )
    const right = lines(
      [330, 100],
      Array.from({ length: 10 }, (_, at) => `right ${at} ${words(5)}`),
    )
    const { text } = read(page(left, right))
    expect(text).not.toContain('|')
    expect(text.indexOf('left 9')).toBeLessThan(text.indexOf('right 0'))
  })
  it('keep a pipe in a cell a pipe in a cell', () => {
    expect(
      read(
        page(
          grid(
            [
              ['a|b', 'c'],
              ['1', '2'],
              ['3', '4'],
            ],
            100,
          ),
        ),
      ).text,
    ).toContain('| a\\|b | c |')
  })
})

describe('pages', () => {
  it('begin where their first text does, also in the middle of a paragraph and of a cut word', () => {
    const { text, pageStarts } = read(
      page(lines([60, 100], [words(12), 'and it goes on with inter-'])),
      page(lines([60, 100], ['national matters.']), lines([60, 140], ['Another paragraph of this page.'])),
      page(),
      page(lines([60, 100], ['The end.'])),
    )
    expect(text).toContain('with international matters.')
    expect(pageStarts.map((at) => text.slice(at, at + 8))).toEqual(['word0 wo', 'national', 'The end.', 'The end.'])
  })
  it('of nothing give nothing', () => {
    expect(read(page(), page())).toEqual({ text: '', pageStarts: [0, 0] })
    expect(read()).toEqual({ text: '', pageStarts: [] })
  })
})
