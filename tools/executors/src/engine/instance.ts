/** Devices of an instance or a profile, by name. */
export type Devices = Readonly<Record<string, Readonly<Record<string, string>>>>;

type Config = Readonly<Record<string, string>>;

/** An instance in its project. */
export type InstancePlace = { readonly instance: string; readonly project: string };

/** An instance as its platform tells it: `config` and `devices` are set on the instance itself, `expanded_*` with its profiles'. */
export type Instance = {
  readonly name: string;
  readonly project: string;
  readonly type: 'container' | 'virtual-machine';
  readonly status: string;
  /** The member of a cluster that it is on; `none` where there is no cluster. */
  readonly location: string;
  readonly created_at: string;
  readonly config: Config;
  readonly expanded_config: Config;
  readonly devices: Devices;
  readonly expanded_devices: Devices;
  readonly profiles: readonly string[] | null;
  readonly snapshots:
    | readonly { readonly name: string; readonly created_at: string; readonly expires_at?: string | undefined; readonly config: Config }[]
    | null;
  readonly state: {
    readonly network: Readonly<
      Record<
        string,
        {
          readonly addresses: readonly { readonly family: string; readonly address: string; readonly scope: string }[];
          readonly hwaddr: string;
          /** The other end of a veth, on the host; else empty. */
          readonly host_name: string;
        }
      >
    > | null;
  } | null;
};

/** An instance with its snapshots. */
export type InstanceSnapshots = Pick<Instance, 'name' | 'project' | 'config' | 'snapshots'>;

/** A storage pool. `config` is its driver's own. */
export type Pool = { readonly name: string; readonly driver: string; readonly status: string; readonly config: Config };

/** Bytes used and in all of a pool. */
export type Space = { readonly used: number; readonly total: number };

/** What a deploy needs to know of one host of instances. */
export type InstanceFacts = {
  readonly version: string;
  /** What the platform is doing in our project, and to which instances. */
  readonly operations: readonly {
    readonly description: string;
    readonly instances: readonly { readonly name: string; readonly project: string }[];
  }[];
  readonly projects: readonly { readonly name: string; readonly config: Config }[];
  /** The instances of our project, with their snapshots and addresses; none when there is no such project. */
  readonly instances: readonly Instance[];
  /** Every instance of **all** projects, by name: that one is absent in ours proves nothing. */
  readonly everywhere: readonly { readonly name: string; readonly project: string }[];
  readonly pools: readonly Pool[];
  /** Profiles of our project; `undefined` when there is no such project. Likewise the next two. */
  readonly profiles: readonly { readonly name: string; readonly config: Config; readonly devices: Devices }[] | undefined;
  readonly networks:
    | readonly {
        readonly name: string;
        readonly managed: boolean;
        readonly type: string;
        readonly status: string;
        readonly config: Config;
      }[]
    | undefined;
  readonly aliases: readonly { readonly name: string; readonly target: string }[] | undefined;
};

/** The instance of that name in that project. */
export function findInstance(facts: Pick<InstanceFacts, 'instances'>, place: InstancePlace): Instance | undefined {
  return facts.instances.find(({ name, project }) => name === place.instance && project === place.project);
}
