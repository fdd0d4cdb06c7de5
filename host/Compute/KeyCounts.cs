using System.Runtime.CompilerServices;

namespace Merge.Compute;

/// <summary>How often each key was seen, for some thousands of different keys; for one thread at a time.</summary>
internal sealed unsafe class KeyCounts
{
    /// <summary>Bytes it holds.</summary>
    public const long Bytes = (sizeof(ulong) * Places) + (sizeof(int) * Most);

    private const int PlaceBits = 15;
    private const int Places = 1 << PlaceBits;
    private const int Most = Places / 2;

    // A key in the upper half, its count in the lower. No score has the key 0, so 0 is a place without key.
    private readonly ulong[] _places = new ulong[Places];
    private readonly int[] _taken = new int[Most];
    private int _different;

    /// <summary>Whether so many keys can be added even if all are new.</summary>
    public bool HasRoomFor(int keys) => _different + keys <= Most;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(uint* keys, int count)
    {
        fixed (ulong* places = _places)
        {
            for (var i = 0; i < count; i++)
            {
                var key = keys[i];
                var place = (key * 0x9E3779B1) >> (32 - PlaceBits);
                while (places[place] >> 32 is var other && other != key)
                {
                    if (other == 0)
                    {
                        places[place] = (ulong)key << 32;
                        _taken[_different++] = (int)place;
                        break;
                    }
                    place = (place + 1) % Places;
                }
                places[place]++;
            }
        }
    }

    /// <summary>All keys, in no order; forgets them.</summary>
    public (uint Key, uint Count)[] Take()
    {
        var keys = new (uint, uint)[_different];
        for (var i = 0; i < keys.Length; i++)
        {
            ref var place = ref _places[_taken[i]];
            keys[i] = ((uint)(place >> 32), (uint)place);
            place = 0;
        }
        _different = 0;
        return keys;
    }
}
