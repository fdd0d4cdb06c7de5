using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Recipes;

public class RecipeFuzzTests
{
    private const string Whole = """
        # a comment
        merge_method: "ties"
        base_model: &base org/base@main
        models:
          - model: *base
          - {model: org/a, parameters: {weight: 1e-3, density: [1, .5, 0x1]}}
          - model: run/checkpoint-*
            last: 3
            parameters:
              <<: {weight: +2}
              label: >-
                two
                lines
              mask:
                - filter: mlp
                  value: 'quoted ''text'''
                - value: 0
        parameters: {normalize: true}
        dtype: !!str bfloat16
        seed: 7
        """;

    private const string Pieces = "\t\n\r -:?[]{}#&*!|>'\"%@`,<~0.\\eé\u0000\u0085\u2028\ud83d\ude00\ufeff";

    [Fact]
    public void A_broken_recipe_is_refused_or_read_and_nothing_else()
    {
        Assert.Equal("ties", RecipeParser.Parse("r.yaml", Whole).Method);
        var (read, refused) = (0, 0);
        for (ulong seed = 1; seed <= 2000; seed++)
        {
            try
            {
                Assert.NotNull(RecipeParser.Parse("r.yaml", Mutate(seed)));
                read++;
            }
            catch (MergeException exception)
            {
                Assert.True(exception.WrongUsage);
                refused++;
            }
        }
        Assert.True(read > 20 && refused > 500, $"{read} read, {refused} refused");
    }

    // One to four edits: a piece put in, characters cut out, a line moved, a character changed.
    private static string Mutate(ulong seed)
    {
        var text = Whole;
        var state = seed;
        for (var edits = 1 + Next(4); edits > 0; edits--)
        {
            var at = Next(text.Length);
            var piece = Pieces[Next(Pieces.Length)].ToString();
            var length = Math.Min(Next(20), text.Length - at);
            text = Next(4) switch
            {
                0 => text.Insert(at, piece),
                1 => text.Remove(at, length),
                2 => text.Insert(Next(text.Length), text.Substring(at, length)),
                _ => text.Remove(at, 1).Insert(at, piece),
            };
        }
        return text;

        // SplitMix64
        int Next(int below)
        {
            state += 0x9E3779B97F4A7C15;
            var mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            return (int)((mixed ^ (mixed >> 31)) % (ulong)below);
        }
    }
}
