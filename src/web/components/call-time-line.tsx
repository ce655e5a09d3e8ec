import { Box, Collapse, Group, Stack, Text, Timeline, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';
import type { Entry, RequestStep } from '../model.ts';
import { indented, timeLine, type TimeLineItem, type Tone } from '../time-line.ts';
import { offsetText } from '../words.ts';
import { Icon } from './icon.tsx';

const TONE_COLORS: Readonly<Record<Tone, string>> = {
  plain: 'gray.5',
  good: 'tandem.6',
  waiting: 'yellow.5',
  bad: 'red.6',
  warning: 'orange.5',
  request: 'indigo.5',
  verb: 'tandem.4',
  key: 'grape.5',
};

/** What happened in a call, in order; requests unfold to what was asked and answered. */
export function CallTimeLine({ entries }: { readonly entries: readonly Entry[] }): ReactNode {
  const items = timeLine(entries);
  return (
    <Timeline bulletSize={14} lineWidth={2} active={items.length} component="ol" aria-label="Time line" pl={0}>
      {items.map((item, place) => (
        <Timeline.Item
          key={item.key}
          component="li"
          bullet={<Dot tone={item.tone} />}
          styles={{ itemBullet: { borderWidth: 0, background: 'transparent' } }}
          mt={place === 0 ? 0 : 10}
          style={{ listStyle: 'none' }}
        >
          {item.request === undefined ? <Line item={item} /> : <RequestLine item={item} request={item.request} />}
        </Timeline.Item>
      ))}
    </Timeline>
  );
}

function Dot({ tone }: { readonly tone: Tone }): ReactNode {
  return <Box w={12} h={12} bg={TONE_COLORS[tone]} style={{ borderRadius: tone === 'request' ? 3 : 6 }} />;
}

function Line({ item }: { readonly item: TimeLineItem }): ReactNode {
  return (
    <Group justify="space-between" wrap="nowrap" align="baseline" gap="xs">
      <Text size="sm" className="breaks" style={{ minWidth: 0 }}>
        <Text component="span" size="sm" fw={600} className={classOf(item.tone)}>
          {item.title}
        </Text>
        {item.detail === '' ? '' : ' '}
        <Text component="span" size="sm" className={item.tone === 'key' ? 'mono' : 'quiet'}>
          {item.detail}
        </Text>
      </Text>
      <Offset item={item} />
    </Group>
  );
}

function RequestLine({ item, request }: { readonly item: TimeLineItem; readonly request: RequestStep }): ReactNode {
  const [isOpen, { toggle }] = useDisclosure(false);
  return (
    <Stack gap={6}>
      <Group justify="space-between" wrap="nowrap" align="baseline" gap="xs">
        <UnstyledButton className="unfold" aria-expanded={isOpen} onClick={toggle} style={{ minWidth: 0 }}>
          <Icon name="chevron" size={14} />
          <Text component="span" size="sm" className="breaks">
            <Text component="span" fw={600} className={`mono ${classOf(item.tone)}`}>
              {item.title}
            </Text>{' '}
            <Text component="span" size="sm" className="quiet">
              {item.detail}
            </Text>
          </Text>
        </UnstyledButton>
        <Offset item={item} />
      </Group>
      <Collapse expanded={isOpen}>{isOpen ? <Exchange request={request} /> : null}</Collapse>
    </Stack>
  );
}

function Exchange({ request }: { readonly request: RequestStep }): ReactNode {
  const { url, parameters, status, contentType, body, failure } = request;
  return (
    <Stack gap="xs" pl={20}>
      <Text size="xs" className="mono breaks">
        {url}
      </Text>
      <dl className="parameters">
        {Object.entries(parameters).map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <Text component="dt" size="xs" className="quiet">
              {name}
            </Text>
            <Text component="dd" size="xs" className="mono breaks">
              {value}
            </Text>
          </div>
        ))}
      </dl>
      {failure === null ? null : (
        <Text size="xs" className="bad breaks">
          Error {failure.code}: {failure.message}
        </Text>
      )}
      {status === null ? null : (
        <Text size="xs" className="quiet">
          Answer {status}
          {contentType === null ? '' : `, ${contentType}`}
        </Text>
      )}
      {body === '' ? null : (
        <pre className="code" tabIndex={0} aria-label="What the application answered">
          {indented(body)}
        </pre>
      )}
    </Stack>
  );
}

function Offset({ item }: { readonly item: TimeLineItem }): ReactNode {
  return (
    <Text size="xs" className="quiet mono" style={{ flex: 'none' }}>
      {offsetText(item.offsetMs)}
    </Text>
  );
}

function classOf(tone: Tone): string {
  return tone === 'bad' || tone === 'warning' ? tone : '';
}
