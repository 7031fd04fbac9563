import { describe, expect, it } from 'vitest'
import { parseAttribution, writeAttribution } from '../../main/domain/attribution.ts'

const chickadee = `Title of work: Black-capped chickadee
Link to work: https://en.wikipedia.org/wiki/Black-capped_chickadee
Revision: https://en.wikipedia.org/w/index.php?title=Black-capped_chickadee&oldid=1219937468
License of the work: CC-BY-SA-4.0
Creator names: Wikipedia Authors
`

describe('attribution.txt', () => {
  it('reads several sources and writes them as they were', () => {
    const text = `${chickadee}\n${chickadee.replace(/Revision.*\n/, '')}`
    const { sources, problems } = parseAttribution(text)
    expect(problems).toEqual([])
    expect(sources).toHaveLength(2)
    expect(sources[0]).toMatchObject({ license: 'CC-BY-SA-4.0', creators: 'Wikipedia Authors' })
    expect(sources[1]?.revision).toBe('')
    expect(writeAttribution(sources)).toBe(text)
  })
  it('joins wrapped lines and reads other spellings and line ends', () => {
    const { sources, problems } = parseAttribution(
      'title of the work: A very\r\n  long title\r\nLINK TO WORK: -\r\nLicence of work: MIT\r\nCreator name: Ada',
    )
    expect(problems).toEqual([])
    expect(sources).toEqual([{ title: 'A very long title', link: '-', revision: '', license: 'MIT', creators: 'Ada' }])
  })
  it('places what is missing, unknown or no licence name', () => {
    const { problems } = parseAttribution(
      'From the web\n\nTitle of work: X\nLink to work: -\nLicense of the work: CC BY-NC-SA 4.0\n',
    )
    expect(problems.map(({ severity, line, field }) => `${severity} ${line} ${field}`)).toEqual([
      'warning 1 attribution.txt',
      'warning 3 attribution.txt: Creator names',
      'warning 3 attribution.txt: License of the work',
    ])
    expect(problems.at(-1)?.remedy).toContain('CC-BY-NC-SA-4.0')
  })
  it('accepts SPDX expressions', () => {
    expect(parseAttribution(chickadee.replace('CC-BY-SA-4.0', 'MIT OR Apache-2.0')).problems).toEqual([])
  })
})
