// A process that runs one slow job on the database given as its argument: writes one row per step and says `step N`. Made to be killed.

import { Jobs } from '../../main/pipelines/jobs.ts'
import { unfinishedJobs } from '../../main/store/jobs.ts'
import { allMigrations } from '../../main/store/migrations/all.ts'
import { openDatabase } from '../../main/store/open.ts'

const db = openDatabase(process.argv[2] ?? '', allMigrations)
db.exec('create table if not exists steps (n integer primary key) strict')
const left = unfinishedJobs(db)[0]
const jobs = new Jobs({
  db,
  emit: () => undefined,
  now: Date.now,
  log: (line) => console.error(line),
  handlers: {
    generate: async (context) => {
      const total = 60
      const done = db.prepare('select count(*) from steps').pluck()
      for (let n = Number(done.get()); n < total && !context.signal.aborted; n++) {
        db.prepare('insert into steps values (?)').run(n)
        context.progress({ done: n + 1, total, label: 'stepping', ratePerSecond: null, etaSeconds: null })
        console.log(`step ${n}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
  },
})
const job = left ? jobs.resume(left.id) : jobs.start({ kind: 'generate', title: 'Sixty steps', subject: 'steps' })
const ended = await jobs.settled(job.id)
console.log(`ended ${ended.state}`)
db.close()
