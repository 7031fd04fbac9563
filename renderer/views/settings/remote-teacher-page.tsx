// The one thing that leaves the machine, and only where the user wants it: a teacher on another computer of the user's network.

import { Button, Checkbox, PasswordInput, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { RemoteTeacher, RemoteTest } from '../../../main/contract/workspace.ts'
import { Facts } from '../../components/facts.tsx'
import { ErrorNote, Reading } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount } from '../../format.ts'
import { useAct, useRead } from '../../state/lab.ts'

/** Off until the user names a server. */
export function RemoteTeacherPage() {
  const settings = useRead('settings.get', {})
  return <Reading of={settings}>{({ remoteTeacher }) => <TeacherForm kept={remoteTeacher} />}</Reading>
}

function TeacherForm({ kept }: { kept: RemoteTeacher | null }) {
  const { t } = useTranslation()
  const [teacher, setTeacher] = useState<RemoteTeacher>(kept ?? { url: '', model: '' })
  const [found, setFound] = useState<RemoteTest | null>(null)
  const test = useAct('settings.testRemoteTeacher', { isQuiet: true })
  const keep = useAct('settings.set', { isQuiet: true })
  const isComplete = teacher.url.trim().length > 7 && teacher.model.trim() !== ''
  const wanted = {
    ...teacher,
    url: teacher.url.trim(),
    model: teacher.model.trim(),
    apiKey: teacher.apiKey || undefined,
  }
  const change = (part: Partial<RemoteTeacher>) => {
    setTeacher({ ...teacher, ...part })
    setFound(null)
  }
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    await keep.run({ remoteTeacher: wanted })
  }
  return (
    <form className="stack" onSubmit={(event) => void submit(event)} data-testid="remote-teacher">
      <p className="hush readable">{t('remote.text')}</p>
      <p className={kept ? 'readable' : 'hush readable'}>
        {kept ? t('remote.on', { url: kept.url, model: kept.model }) : t('remote.off')}
      </p>
      <Fields teacher={teacher} onChange={change} />
      <div className="row-wrap">
        <Button
          variant="default"
          disabled={!isComplete}
          loading={test.isRunning}
          onClick={() => void test.run(wanted).then((result) => setFound(result ?? null))}
        >
          {t('remote.test')}
        </Button>
        <Button type="submit" disabled={!isComplete} loading={keep.isRunning}>
          {t('remote.use')}
        </Button>
        {kept && (
          <Button variant="subtle" color="red" onClick={() => void keep.run({ remoteTeacher: null })}>
            {t('remote.stop')}
          </Button>
        )}
      </div>
      {keep.error ? <ErrorNote error={keep.error} /> : test.error && <ErrorNote error={test.error} />}
      {found && <TestResult found={found} />}
    </form>
  )
}

interface FieldsProps {
  teacher: RemoteTeacher
  onChange(part: Partial<RemoteTeacher>): void
}

function Fields({ teacher, onChange: change }: FieldsProps) {
  const { t } = useTranslation()
  return (
    <>
      <TextInput
        w={420}
        label={t('remote.url')}
        description={t('remote.urlHint')}
        placeholder="http://192.168.1.20:8000"
        value={teacher.url}
        onChange={(event) => change({ url: event.currentTarget.value })}
      />
      <TextInput
        w={420}
        label={t('remote.model')}
        description={t('remote.modelHint')}
        value={teacher.model}
        onChange={(event) => change({ model: event.currentTarget.value })}
      />
      <PasswordInput
        w={420}
        label={t('remote.key')}
        description={t('remote.keyHint')}
        autoComplete="off"
        value={teacher.apiKey ?? ''}
        onChange={(event) => change({ apiKey: event.currentTarget.value })}
      />
      <Checkbox
        label={t('remote.public')}
        checked={teacher.isPublicAllowed ?? false}
        onChange={(event) => change({ isPublicAllowed: event.currentTarget.checked })}
      />
    </>
  )
}

function TestResult({ found }: { found: RemoteTest }) {
  const { t } = useTranslation()
  return (
    <Section title={t('remote.result')}>
      <div role="status">
        <Facts
          of={[
            [t('remote.server'), t(`remote.servers.${found.server}`)],
            [t('remote.models'), found.models.join(', ')],
            [t('remote.context'), formatCount(found.contextTokens)],
            [t('remote.form'), t(found.hasGrammar ? 'remote.formGrammar' : 'remote.formRead')],
            [t('remote.answer'), t('remote.answered', { answer: found.answer, ms: formatCount(Math.round(found.ms)) })],
          ]}
        />
      </div>
    </Section>
  )
}
