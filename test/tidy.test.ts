// House rules a machine can check. Each failure is one line: the file, what is wrong, and what to do about it.
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, it } from 'vitest'
import { importsOf, readSource, root, type Source, sourcesIn } from './support/sources.ts'

const typescript = sourcesIn(['main', 'renderer', 'scripts', 'test'], ['ts', 'tsx'])
const native = sourcesIn(['native'], ['cpp', 'h', 'hpp', 'cc', 'c'])
const everything = [
  ...sourcesIn(
    ['main', 'renderer', 'scripts', 'test', 'native', '.ci'],
    ['ts', 'tsx', 'mjs', 'cjs', 'js', 'json', 'yaml', 'yml', 'css', 'html', 'md', 'txt', 'cpp', 'h', 'sh', 'py'],
  ),
  ...['package.json', 'README.md', 'ARCHITECTURE.md', 'BENCHMARKS.md', 'electron-builder.yml', '.ci/run']
    .filter((path) => existsSync(join(root, path)))
    .map(readSource),
]
const isTest = ({ path }: Source): boolean => /\.(test|spec)\.tsx?$/.test(path)
const product = typescript.filter(({ path }) => /^(main|renderer)\//.test(path))

/** The rule's failures, so that one run names all of them. */
function problemsOf(sources: Source[], rule: (source: Source) => string | string[] | undefined): string[] {
  return sources.flatMap((source) => [rule(source) ?? []].flat().map((problem) => `${source.path}: ${problem}`))
}

/** Fails with every problem in full: the text is what tells people what to do. */
function expectNone(problems: string[]): void {
  if (problems.length > 0) throw new Error(`${problems.length} to mend:\n${problems.join('\n')}`)
}

describe('shape of files', () => {
  it('keeps TypeScript files at 400 lines, screens at 200, C++ files at 600', () => {
    const limit = ({ path }: Source): number =>
      /^renderer\/views\/.*\.tsx$/.test(path) ? 200 : /\.tsx?$/.test(path) ? 400 : 600
    const problems = problemsOf([...typescript, ...native], (source) =>
      source.lines.length > limit(source)
        ? `${source.lines.length} lines, allowed are ${limit(source)}. Move one of its concerns to a file of its own.`
        : undefined,
    )
    expectNone(problems)
  })

  it('opens each file with one to four lines on what it owns and refuses', () => {
    const sources = [...typescript.filter((source) => !isTest(source)), ...native]
    const problems = problemsOf(sources, ({ lines }) => {
      const start = lines[0]?.startsWith('#!') ? 1 : 0
      let end = start
      while (/^\s*(\/\/|\/\*|\*)/.test(lines[end] ?? '')) end += 1
      if (end === start)
        return 'has no opening comment. Say in 1-4 lines what it owns, what it refuses and its invariant.'
      return end - start > 4 ? `opens with ${end - start} comment lines. Four are enough.` : undefined
    })
    expectNone(problems)
  })

  it('names files in kebab-case, after what they hold', () => {
    const vague = /(^|-)(utils?|helpers?|manager|common|misc|service|info|data|item|record)s?$/
    const problems = problemsOf([...typescript, ...native], ({ path }) => {
      const name = basename(path).replace(/(\.(test|spec|config|inc|d))?\.[a-z]+$/, '')
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name.replaceAll('_', path.startsWith('native/') ? '-' : '_')))
        return 'is not in kebab-case. Rename it after its main export, e.g. near-duplicate.ts.'
      return vague.test(name)
        ? 'has a name that says nothing. Use the word of the field: seed, sample, checkpoint...'
        : undefined
    })
    expectNone(problems)
  })

  it('exports names of the field, not Manager, Helper, Utils, Service, Info, Data, Item or Record', () => {
    const vague =
      /^export (?:default )?(?:async )?(?:function|class|interface|type|const) (\w*(?:Manager|Helpers?|Utils?|Service|Info|Data|Item|Record)s?)\b/gm
    const problems = problemsOf(product, ({ text }) =>
      [...text.matchAll(vague)].map(
        ([, name]) => `exports ${name}. Name it by the field's word: what is it of a dataset, a job, a model?`,
      ),
    )
    expectNone(problems)
  })

  it('leaves no test where no runner looks', () => {
    const run = /^test\/(tidy\.test\.ts|(unit|process|model|native)\/.*\.test\.tsx?|e2e\/.*\.spec\.ts)$/
    const problems = problemsOf(typescript.filter(isTest), ({ path }) =>
      run.test(path)
        ? undefined
        : 'is run by nobody. Move it to test/{unit,process,model,native} (.test) or test/e2e (.spec).',
    )
    expectNone(problems)
  })
})

describe('layers', () => {
  // What each folder may import of ours; the first prefix that matches a file decides.
  const layers: [folder: string, mayImport: string[]][] = [
    ['main/contract/', ['main/contract/']],
    ['main/domain/', ['main/domain/', 'main/contract/']],
    ['main/store/', ['main/store/', 'main/domain/', 'main/contract/']],
    ['main/compute/worker/', ['main/compute/', 'main/domain/', 'main/contract/']],
    ['main/compute/', ['main/compute/', 'main/domain/', 'main/contract/']],
    ['main/demo/', ['main/demo/', 'main/domain/', 'main/contract/']],
    [
      'main/pipelines/',
      ['main/pipelines/', 'main/demo/', 'main/store/', 'main/compute/', 'main/domain/', 'main/contract/'],
    ],
    [
      'main/hosts/electron/',
      ['main/hosts/electron/', 'main/hosts/node/', 'main/engine.ts', 'main/compute/', 'main/contract/'],
    ],
    ['main/hosts/web/', ['main/hosts/web/', 'main/hosts/node/', 'main/engine.ts', 'main/compute/', 'main/contract/']],
    ['main/hosts/cli/', ['main/hosts/cli/', 'main/hosts/node/', 'main/engine.ts', 'main/compute/', 'main/contract/']],
    ['main/hosts/node/', ['main/hosts/node/', 'main/engine.ts', 'main/compute/', 'main/contract/']],
    ['main/', ['main/']],
    ['renderer/', ['renderer/', 'main/contract/']],
    ['scripts/', ['scripts/', 'main/', 'test/support/']],
    ['test/standin/', ['test/standin/']],
    ['test/', ['test/', 'main/', 'renderer/', 'scripts/']],
  ]

  it('lets each folder import only the layers below it', () => {
    const problems = problemsOf(typescript, (source) => {
      const [folder = '', allowed = []] = layers.find(([prefix]) => source.path.startsWith(prefix)) ?? []
      return importsOf(source)
        .filter((target) => /^(main|renderer|scripts|test)\//.test(target))
        .filter((target) => !allowed.some((prefix) => target.startsWith(prefix)))
        .map((target) => `imports ${target}. ${folder} may import ${allowed.join(', ')}: pass it in, or move the code.`)
    })
    expectNone(problems)
  })

  it('keeps each boundary package in its one folder', () => {
    const homes: Record<string, string[]> = {
      electron: ['main/hosts/electron/', 'test/'],
      'better-sqlite3': ['main/store/', 'test/'],
      'node-llama-cpp': ['main/compute/worker/', 'test/', 'scripts/'],
      ws: ['main/hosts/web/', 'test/'],
      react: ['renderer/', 'test/'],
      '@playwright/test': ['test/e2e/', 'playwright.config.ts'],
    }
    const problems = problemsOf(typescript, (source) =>
      importsOf(source)
        .filter((target) => homes[target] && !homes[target].some((home) => source.path.startsWith(home)))
        .map((target) => `imports ${target}. Only ${homes[target]?.[0]} does; go through what it offers.`),
    )
    expectNone(problems)
  })

  it('keeps contract, domain and renderer free of Node', () => {
    const pure = typescript.filter(({ path }) => /^(main\/(contract|domain)|renderer)\//.test(path))
    const problems = problemsOf(pure, (source) =>
      importsOf(source)
        .filter((target) => target.startsWith('node:'))
        .map((target) => `imports ${target}. This folder is pure: take what it gives as an argument.`),
    )
    expectNone(problems)
  })
})

describe('words', () => {
  it('throws AppError with a remedy, not a bare Error, wherever a user can meet it', () => {
    const met = product.filter(({ path }) => /^main\/(pipelines|hosts|engine|wiring)/.test(path))
    const problems = problemsOf(met, ({ lines }) =>
      lines.flatMap((line, at) =>
        /throw new (Type|Range)?Error\(/.test(line)
          ? [
              `line ${at + 1} throws a bare Error. Throw AppError with code, message and remedy (main/contract/errors.ts).`,
            ]
          : [],
      ),
    )
    expectNone(problems)
  })

  it('leaves no unfinished work, switched-off test or silenced check', () => {
    const marks =
      /\b(TODO|FIXME|XXX|HACK)\b|\b(?:it|test|describe)\.only\(|@ts-(?:ignore|expect-error|nocheck)|oxlint-disable(?!.* -- )|eslint-disable|biome-ignore (?!format: )/
    const problems = problemsOf([...typescript, ...native], ({ path, lines }) =>
      path === 'test/tidy.test.ts'
        ? undefined
        : lines.flatMap((line, at) =>
            marks.test(line) ? [`line ${at + 1}: "${line.trim()}". Finish it or take it out.`] : [],
          ),
    )
    expectNone(problems)
  })

  it('names no machine, no registry and no number of a task', () => {
    const machine =
      /(?<![\w.~])\/(work|farm|root|home\/(?!me\b)\w+)\/|\/tmp\/[a-z-]+\/|\bregistry\.[a-z]|\bnpm\.pkg\.|\bissue #?\d/i
    const problems = problemsOf(everything, ({ path, lines }) =>
      path === 'test/tidy.test.ts'
        ? undefined
        : lines.flatMap((line, at) =>
            machine.test(line)
              ? [`line ${at + 1}: "${line.trim().slice(0, 100)}". Use a relative path, tmpdir() or a general word.`]
              : [],
          ),
    )
    expectNone(problems)
  })

  it('says in Japanese everything it says in English', () => {
    const keysOf = (tree: object, prefix = ''): string[] =>
      Object.entries(tree).flatMap(([key, value]) =>
        typeof value === 'object' && value !== null ? keysOf(value as object, `${prefix}${key}.`) : [`${prefix}${key}`],
      )
    const read = (language: string): object =>
      JSON.parse(readSource(`renderer/locales/${language}.json`).text) as object
    const english = keysOf(read('en'))
    const japanese = keysOf(read('ja'))
    expectNone([
      ...english
        .filter((key) => !japanese.includes(key.replace(/_one$/, '_other')))
        .map((key) => `ja.json lacks ${key}. Translate it.`),
      ...japanese
        .filter((key) => !english.includes(key))
        .map((key) => `en.json lacks ${key}. Add it, or remove it from ja.json.`),
    ])
  })

  it('keeps placeholders of both languages the same', () => {
    const flat = (tree: object, prefix = ''): [string, string][] =>
      Object.entries(tree).flatMap(([key, value]): [string, string][] =>
        typeof value === 'string' ? [[`${prefix}${key}`, value]] : flat(value as object, `${prefix}${key}.`),
      )
    const placeholders = (text = ''): string =>
      [...new Set(text.match(/\{\{\s*[\w.]+/g) ?? [])]
        .map((one) => one.slice(2).trim())
        .sort()
        .join(', ')
    const read = (language: string): object =>
      JSON.parse(readSource(`renderer/locales/${language}.json`).text) as object
    const japanese = new Map(flat(read('ja')))
    const problems = flat(read('en'))
      .filter(([key, text]) => japanese.has(key) && placeholders(text) !== placeholders(japanese.get(key)))
      .map(
        ([key, text]) =>
          `${key}: en has {{${placeholders(text)}}}, ja has {{${placeholders(japanese.get(key))}}}. Use the same.`,
      )
    expectNone(problems)
  })
})
