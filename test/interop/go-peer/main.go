// A node of HashiCorp's memberlist, driven line by line from a test.
//
// Every line on stdin is `ID VERB ARGUMENT...`; each is answered by one JSON line on stdout that carries the id. Between
// the answers come JSON lines with an `event`. The library's own log goes to stderr. The transport can be cut towards
// single ports, so that a test needs no firewall, and can repeat every byte it sends, so that they can be kept as samples.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

func main() {
	name := flag.String("name", "peer", "node name")
	bind := flag.String("bind", "127.0.0.1:7946", "address for UDP and TCP")
	protocol := flag.Uint("protocol", memberlist.ProtocolVersion2Compatible, "protocol version spoken, 1 to 5")
	delegate := flag.String("delegate", "1,1,1", "delegate protocol: least, most, spoken")
	meta := flag.String("meta", "", "metadata, hex")
	state := flag.String("state", "", "user state of a push/pull, hex")
	verifyIncoming := flag.Bool("verify-incoming", true, "with a key: refuse what is not encrypted")
	verifyOutgoing := flag.Bool("verify-outgoing", true, "with a key: encrypt what is sent")
	compress := flag.Bool("compress", true, "compress what gets smaller")
	reclaim := flag.Duration("reclaim", 0, "after this a dead name may come back from another address")
	trace := flag.Bool("trace", false, "repeat every byte that is sent")
	var keys keyList
	flag.Var(&keys, "key", "gossip key, base64; the first is the primary; may be given again")
	flag.Parse()

	peer := &peer{meta: unhex(*meta), state: unhex(*state)}
	logger := log.New(os.Stderr, "", log.Lmicroseconds)
	host, port := split(*bind)

	config := memberlist.DefaultLANConfig()
	config.Name = *name
	config.BindAddr, config.BindPort = host, port
	config.AdvertiseAddr, config.AdvertisePort = host, port
	config.ProtocolVersion = uint8(*protocol)
	config.DelegateProtocolMin, config.DelegateProtocolMax, config.DelegateProtocolVersion = versions(*delegate)
	config.GossipVerifyIncoming, config.GossipVerifyOutgoing = *verifyIncoming, *verifyOutgoing
	config.EnableCompression = *compress
	config.DeadNodeReclaimTime = *reclaim
	config.Logger = logger
	config.Delegate, config.Events, config.Conflict, config.Alive = peer, peer, peer, peer
	if len(keys) > 0 {
		keyring, err := memberlist.NewKeyring(keys[1:], keys[0])
		check(err)
		config.Keyring, peer.keyring = keyring, keyring
	}
	wire, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{
		BindAddrs: []string{host}, BindPort: port, Logger: logger,
	})
	check(err)
	peer.cuts = &cutTransport{NetTransport: wire, trace: *trace, closed: map[string]bool{}, inbound: make(chan net.Conn)}
	go peer.cuts.accept()
	config.Transport = peer.cuts

	// The library asks for broadcasts as soon as it runs, so the queue has to be there before it.
	peer.queue = &memberlist.TransmitLimitedQueue{RetransmitMult: config.RetransmitMult, NumNodes: peer.size}
	list, err := memberlist.Create(config)
	check(err)
	peer.start(list)
	tell(fields{"event": "ready"})
	go peer.watchHealth()
	peer.obey()
}

type fields map[string]interface{}

var stdout sync.Mutex

func tell(line fields) {
	text, err := json.Marshal(line)
	check(err)
	stdout.Lock()
	defer stdout.Unlock()
	fmt.Println(string(text))
}

// peer is the application on top of the library: it keeps what it was told to say and repeats what it hears.
type peer struct {
	mutex   sync.Mutex
	list    *memberlist.Memberlist
	queue   *memberlist.TransmitLimitedQueue
	keyring *memberlist.Keyring
	cuts    *cutTransport
	meta    []byte
	state   []byte
	veto    string
}

func (p *peer) start(list *memberlist.Memberlist) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.list = list
}

// size is what the library itself calls the number of nodes, near enough for the number of retransmissions.
func (p *peer) size() int {
	p.mutex.Lock()
	list := p.list
	p.mutex.Unlock()
	if list == nil {
		return 1
	}
	return list.NumMembers()
}

func (p *peer) watchHealth() {
	last := 0
	for range time.Tick(10 * time.Millisecond) {
		if now := p.list.GetHealthScore(); now != last {
			tell(fields{"event": "health", "score": now})
			last = now
		}
	}
}

func (p *peer) NodeMeta(limit int) []byte {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.meta
}

func (p *peer) NotifyMsg(message []byte) {
	tell(fields{"event": "message", "hex": hex.EncodeToString(message)})
}

func (p *peer) GetBroadcasts(overhead, limit int) [][]byte {
	return p.queue.GetBroadcasts(overhead, limit)
}

func (p *peer) LocalState(join bool) []byte {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.state
}

func (p *peer) MergeRemoteState(state []byte, join bool) {
	tell(fields{"event": "state", "hex": hex.EncodeToString(state), "join": join})
}

func (p *peer) NotifyJoin(node *memberlist.Node)   { tell(describe("join", node)) }
func (p *peer) NotifyLeave(node *memberlist.Node)  { tell(describe("leave", node)) }
func (p *peer) NotifyUpdate(node *memberlist.Node) { tell(describe("update", node)) }

func (p *peer) NotifyConflict(known, other *memberlist.Node) {
	line := describe("conflict", known)
	line["other"] = other.Address()
	tell(line)
}

func (p *peer) NotifyAlive(node *memberlist.Node) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.veto == "" || node.Name != p.veto {
		return nil
	}
	return errors.New("not wanted here: " + node.Name)
}

func describe(event string, node *memberlist.Node) fields {
	return fields{
		"event":    event,
		"name":     node.Name,
		"address":  node.Address(),
		"meta":     hex.EncodeToString(node.Meta),
		"versions": []int{int(node.PMin), int(node.PMax), int(node.PCur), int(node.DMin), int(node.DMax), int(node.DCur)},
	}
}

// obey does what stdin says until it ends; then nobody wants this peer any more.
func (p *peer) obey() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		go func() {
			result, err := p.command(words[1], words[2:])
			answer := fields{"answer": words[0], "result": result}
			if err != nil {
				answer["error"] = err.Error()
			}
			tell(answer)
		}()
	}
}

func (p *peer) command(verb string, arguments []string) (interface{}, error) {
	argument := func(index int) string {
		if index < len(arguments) {
			return arguments[index]
		}
		return ""
	}
	switch verb {
	case "join":
		return p.list.Join(arguments)
	case "leave":
		return nil, p.list.Leave(5 * time.Second)
	case "members":
		members := []fields{}
		for _, node := range p.list.Members() {
			members = append(members, describe("member", node))
		}
		return members, nil
	case "meta":
		p.mutex.Lock()
		p.meta = unhex(argument(0))
		p.mutex.Unlock()
		return nil, p.list.UpdateNode(5 * time.Second)
	case "state":
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.state = unhex(argument(0))
		return nil, nil
	case "veto":
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.veto = argument(0)
		return nil, nil
	case "gossip":
		p.queue.QueueBroadcast(broadcast(unhex(argument(0))))
		return nil, nil
	case "udp", "tcp":
		node, err := p.find(argument(0))
		if err != nil {
			return nil, err
		}
		if verb == "udp" {
			return nil, p.list.SendBestEffort(node, unhex(argument(1)))
		}
		return nil, p.list.SendReliable(node, unhex(argument(1)))
	case "ping":
		node, err := p.find(argument(0))
		if err != nil {
			return nil, err
		}
		took, err := p.list.Ping(node.Name, &net.UDPAddr{IP: node.Addr, Port: int(node.Port)})
		return took.Seconds() * 1000, err
	case "health":
		return p.list.GetHealthScore(), nil
	case "key":
		return p.turnKey(argument(0), argument(1))
	case "cut":
		p.cuts.set(argument(0), arguments[1:], true)
		return nil, nil
	case "heal":
		p.cuts.healAll()
		return nil, nil
	default:
		return nil, fmt.Errorf("no such command: %s", verb)
	}
}

func (p *peer) find(name string) (*memberlist.Node, error) {
	for _, node := range p.list.Members() {
		if node.Name == name {
			return node, nil
		}
	}
	return nil, fmt.Errorf("no member named %s", name)
}

func (p *peer) turnKey(verb, text string) (interface{}, error) {
	if p.keyring == nil {
		return nil, errors.New("started without a key")
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	switch verb {
	case "add":
		return nil, p.keyring.AddKey(key)
	case "use":
		return nil, p.keyring.UseKey(key)
	case "remove":
		return nil, p.keyring.RemoveKey(key)
	default:
		return nil, fmt.Errorf("keys are added, used or removed, not: %s", verb)
	}
}

// broadcast replaces no other and is missed by nobody when it is done.
type broadcast []byte

func (b broadcast) Message() []byte                             { return b }
func (b broadcast) Invalidates(other memberlist.Broadcast) bool { return false }
func (b broadcast) Finished()                                   {}

// cutTransport is the library's own transport with wires that can be cut at the sending end.
type cutTransport struct {
	*memberlist.NetTransport
	trace   bool
	mutex   sync.Mutex
	closed  map[string]bool
	inbound chan net.Conn
}

func (t *cutTransport) set(kind string, ports []string, isCut bool) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, port := range ports {
		if kind != "tcp" {
			t.closed["udp "+port] = isCut
		}
		if kind != "udp" {
			t.closed["tcp "+port] = isCut
		}
	}
}

func (t *cutTransport) healAll() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.closed = map[string]bool{}
}

func (t *cutTransport) isCut(kind, address string) bool {
	_, port, _ := net.SplitHostPort(address)
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.closed[kind+" "+port]
}

func (t *cutTransport) WriteTo(bytes []byte, address string) (time.Time, error) {
	return t.WriteToAddress(bytes, memberlist.Address{Addr: address})
}

func (t *cutTransport) WriteToAddress(bytes []byte, to memberlist.Address) (time.Time, error) {
	if t.isCut("udp", to.Addr) {
		return time.Now(), nil
	}
	if t.trace {
		tell(fields{"event": "packet", "to": to.Addr, "hex": hex.EncodeToString(bytes)})
	}
	return t.NetTransport.WriteToAddress(bytes, to)
}

func (t *cutTransport) DialTimeout(address string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: address}, timeout)
}

func (t *cutTransport) DialAddressTimeout(to memberlist.Address, timeout time.Duration) (net.Conn, error) {
	if t.isCut("tcp", to.Addr) {
		// As a firewall that drops would have it, only sooner.
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("the wire is cut")}
	}
	connection, err := t.NetTransport.DialAddressTimeout(to, timeout)
	if err != nil {
		return nil, err
	}
	return t.traced(connection), nil
}

func (t *cutTransport) StreamCh() <-chan net.Conn { return t.inbound }

func (t *cutTransport) accept() {
	for connection := range t.NetTransport.StreamCh() {
		t.inbound <- t.traced(connection)
	}
}

func (t *cutTransport) traced(connection net.Conn) net.Conn {
	if !t.trace {
		return connection
	}
	return &tracedStream{Conn: connection}
}

// tracedStream tells what was written to it once it is closed.
type tracedStream struct {
	net.Conn
	mutex   sync.Mutex
	written []byte
	done    bool
}

func (s *tracedStream) Write(bytes []byte) (int, error) {
	s.mutex.Lock()
	s.written = append(s.written, bytes...)
	s.mutex.Unlock()
	return s.Conn.Write(bytes)
}

func (s *tracedStream) Close() error {
	s.mutex.Lock()
	if !s.done && len(s.written) > 0 {
		tell(fields{"event": "stream", "to": s.RemoteAddr().String(), "hex": hex.EncodeToString(s.written)})
	}
	s.done = true
	s.mutex.Unlock()
	return s.Conn.Close()
}

type keyList [][]byte

func (k *keyList) String() string { return fmt.Sprint(len(*k), " keys") }

func (k *keyList) Set(text string) error {
	key, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		*k = append(*k, key)
	}
	return err
}

func split(address string) (string, int) {
	host, text, err := net.SplitHostPort(address)
	check(err)
	port, err := strconv.Atoi(text)
	check(err)
	return host, port
}

func versions(text string) (least, most, spoken uint8) {
	_, err := fmt.Sscanf(text, "%d,%d,%d", &least, &most, &spoken)
	check(err)
	return least, most, spoken
}

func unhex(text string) []byte {
	if text == "" {
		return nil
	}
	bytes, err := hex.DecodeString(text)
	check(err)
	return bytes
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
